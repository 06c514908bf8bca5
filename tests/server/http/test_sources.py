"""A channel's source over HTTP: who may set it, what is told of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from server.http import documents as d
from tests.helpers.eventually import eventually
from tests.server.http.test_events import listening
from tests.server.running import Client, running

CHANNELS = "/api/v1/channels"
SOURCE = f"{CHANNELS}/tea/source"
URL = "rtsp://ann:s3cret@camera.invalid/1?token=s3cret"
MASKED = "rtsp://ann:***@camera.invalid/1?token=***"


async def put(site: Client, url: str = URL, **more: Any) -> Any:
    answer = await site.ask("PUT", SOURCE, json={"url": url, **more})
    assert answer.status == 200, answer.body
    return answer.json()


async def test_a_source_is_set_read_and_removed(site: Client) -> None:
    await site.channel()
    assert (await site.ask("GET", SOURCE)).status == 404
    made = await put(site, loop=True)
    assert (made["url"], made["loop"], made["enabled"]) == (MASKED, True, True)
    read = await site.ask("GET", SOURCE)
    TypeAdapter(d.Source).validate_json(read.body, extra="forbid")
    assert read.json()["url"] == MASKED
    assert (await site.ask("DELETE", SOURCE)).status == 204
    assert (await site.ask("DELETE", SOURCE)).status == 404
    assert (await site.ask("GET", SOURCE)).status == 404


async def test_a_channel_is_not_made_without_its_source(tmp_path: Path) -> None:
    async with running(tmp_path, {"ingest.pull.max_sources": 0}) as full:
        body = {"id": "tea", "source": {"url": URL}}
        assert (await full.ask("POST", CHANNELS, json=body)).status == 413
        assert (await full.ask("GET", f"{CHANNELS}/tea")).status == 404
        assert (await full.ask("POST", CHANNELS, json={"id": "tea"})).status == 201


async def test_it_is_for_the_operator_and_told_to_the_anchor(site: Client) -> None:
    made = await site.channel()
    await put(site)
    for token, status in ((made["anchor_token"], 403), (None, 401)):
        for method in ("GET", "PUT", "DELETE"):
            body = {"url": URL} if method == "PUT" else None
            assert (await site.ask(method, SOURCE, token=token, json=body)).status == status
    document = (await site.ask("GET", f"{CHANNELS}/tea", token=made["anchor_token"])).json()
    TypeAdapter(d.Channel).validate_python(document, extra="forbid")
    assert document["source"]["url"] == MASKED
    public = (await site.ask("GET", f"{CHANNELS}/tea", token=None)).json()
    assert (public["source"], public["warnings"]) == (None, [])


async def test_a_source_that_cannot_be_read_is_a_warning(site: Client) -> None:
    made = await site.channel()
    async with listening(site, {"Authorization": f"Bearer {made['anchor_token']}"}) as events:
        await put(site)
        async with asyncio.timeout(30):
            (told,) = (await events.next("health"))[1]["warnings"]
        assert (await site.ask("DELETE", SOURCE)).status == 204
        assert (await events.next("health"))[1] == {"warnings": []}
        await put(site)
        await eventually(lambda: bool(site.server.pulls.warnings("tea")), 30)
    assert told["code"] == "source-unreadable"
    document = (await site.ask("GET", f"{CHANNELS}/tea")).json()
    TypeAdapter(d.Channel).validate_python(document, extra="forbid")
    (warning,) = document["warnings"]
    assert (warning["code"], warning["severity"]) == ("source-unreadable", "error")
    assert "its host is not known; trying again in " in warning["message"]
    assert "s3cret" not in str(document)
    assert document["state"] == "offline"


async def test_nothing_is_remembered_of_a_channel_that_was_removed(site: Client) -> None:
    await site.channel()
    before = site.server.bus.last("tea")
    await put(site)
    await eventually(lambda: bool(site.server.pulls.warnings("tea")), 30)
    assert site.server.bus.last("tea") > before
    await site.server.channels.remove("tea")  # as a command beside the server does
    site.server.bus.forget("tea")
    await site.server.pulls.refresh()
    assert site.server.pulls.warnings("tea") == ()
    assert site.server.bus.last("tea") == before


async def test_an_address_that_may_not_be_opened_is_refused(site: Client) -> None:
    await site.channel()
    for url in (
        "http://127.0.0.1/a.mp4",
        "rtsp://[::1]/",
        "file:///etc/passwd",
        "http://localhost/",
    ):
        refused = await site.ask("PUT", SOURCE, json={"url": url})
        assert (refused.status, refused.json()["errors"][0]["field"]) == (422, "url")
    body = {"id": "pots", "source": {"url": "http://10.0.0.1/a.mp4"}}
    refused = await site.ask("POST", CHANNELS, json=body)
    assert (refused.status, refused.json()["errors"][0]["field"]) == (422, "source.url")
    assert (await site.ask("GET", f"{CHANNELS}/pots")).status == 404, "nothing was made"


async def test_a_channel_is_made_with_its_source(site: Client) -> None:
    body = {"id": "pots", "source": {"url": URL, "enabled": False}}
    made = await site.ask("POST", CHANNELS, json=body)
    assert made.status == 201
    assert b"s3cret" not in made.body
    source = (await site.ask("GET", f"{CHANNELS}/pots/source")).json()
    assert source == {
        "url": MASKED, "loop": False, "enabled": False, "state": "off", "problem": None
    }  # fmt: skip


async def test_the_password_stays_when_the_masked_address_is_sent_back(site: Client) -> None:
    await site.channel()
    await put(site)
    await put(site, MASKED, enabled=False)
    kept = await site.server.sources.get("tea")
    assert (kept.url, kept.enabled) == (URL, False)


async def test_a_source_needs_its_channel_and_goes_with_it(site: Client) -> None:
    assert (await site.ask("PUT", SOURCE, json={"url": URL})).status == 404
    await site.channel()
    await put(site)
    assert (await site.ask("DELETE", f"{CHANNELS}/tea")).status == 204
    assert site.server.pulls.state("tea") is None
    await site.channel()
    assert (await site.ask("GET", SOURCE)).status == 404
