"""openapi.json says what is really answered."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from server.http import documents as d
from tests.server.running import Client

CHANNEL = "/api/v1/channels/tea"
CUP = {"title": "Cup", "price": {"amount": 1290, "currency": "EUR"}}


async def test_every_reference_leads_somewhere(site: Client) -> None:
    api = (await site.ask("GET", "/api/v1/openapi.json", token=None)).json()
    assert api["openapi"].startswith("3.1")
    known = set(api["components"]["schemas"])

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [ref for item in value.values() for ref in references(item)]
        return (
            [ref for item in value for ref in references(item)] if isinstance(value, list) else []
        )

    found = {ref.rpartition("/")[2] for ref in references(api)}
    assert found
    assert found <= known


async def test_operations_are_named_once_and_parameters_are_told(site: Client) -> None:
    api = (await site.ask("GET", "/api/v1/openapi.json", token=None)).json()
    operations = [o for methods in api["paths"].values() for o in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    timeline = api["paths"]["/api/v1/channels/{channel}/timeline"]["get"]
    assert [p["name"] for p in timeline["parameters"]] == ["channel", "from", "to"]


async def test_answers_are_as_described(site: Client) -> None:
    TypeAdapter(d.ChannelMade).validate_python(await site.channel(), extra="forbid")
    await site.ask("PUT", f"{CHANNEL}/products/cup", json=CUP)
    for path, model in (
        ("/api/v1/channels", d.Channels),
        (CHANNEL, d.Channel),
        (f"{CHANNEL}/products", d.Products),
        (f"{CHANNEL}/products/cup", d.Product),
        (f"{CHANNEL}/pins", d.Pins),
        (f"{CHANNEL}/timeline", d.Timeline),
        ("/api/v1/profiles", d.Profiles),
    ):
        answer = await site.ask("GET", path, token=None)
        TypeAdapter(model).validate_json(answer.body, extra="forbid")
