"""Server-sent events: told, resumed, bounded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.helpers.eventually import eventually
from tests.server.running import OPERATOR, Client

EVENTS = "/api/v1/channels/tea/events"
CUP = {"title": "Cup", "price": {"amount": 1290, "currency": "EUR"}}


@dataclass(slots=True)
class Stream:
    response: aiohttp.ClientResponse
    pending: dict[str, str] = field(default_factory=dict)

    async def next(self, kind: str) -> tuple[str, Any]:
        """Return id and data of the next event of `kind`."""
        while True:
            event = await self._event()
            if event.get("event") == kind:
                return event.get("id", ""), json.loads(event["data"])

    async def first(self) -> tuple[str, Any]:
        """Return kind and data of the next event, whichever it is."""
        event = await self._event()
        return event["event"], json.loads(event["data"])

    async def _event(self) -> dict[str, str]:
        event: dict[str, str] = {}
        async with asyncio.timeout(10):
            while line := (await self.response.content.readline()).decode().rstrip("\n"):
                name, _, value = line.partition(": ")
                event[name] = value
        return event


@asynccontextmanager
async def listening(
    site: Client, headers: dict[str, str] | None = None, query: str = ""
) -> AsyncIterator[Stream]:
    async with site.session.get(site.base + EVENTS + query, headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        yield Stream(response)


async def put(site: Client, name: str) -> None:
    answer = await site.ask("PUT", f"/api/v1/channels/tea/products/{name}", json=CUP)
    assert answer.status == 201


async def test_a_change_reaches_listeners(site: Client) -> None:
    await site.channel()
    async with listening(site) as stream:
        await stream.next("viewers")
        await put(site, "cup")
        number, data = await stream.next("product")
        assert number.isdigit()
        assert "cup" in json.dumps(data)


async def test_a_stream_goes_on_behind_the_last_event_seen(site: Client) -> None:
    await site.channel()
    async with listening(site) as stream:
        await stream.next("viewers")
        await put(site, "one")
        seen, _ = await stream.next("product")
    await put(site, "two")
    async with listening(site, headers={"Last-Event-ID": seen}) as stream:
        _, data = await stream.next("product")
        assert "two" in json.dumps(data)
    async with listening(site, query=f"?after={seen}") as stream:
        _, data = await stream.next("product")
        assert "two" in json.dumps(data)


async def test_what_cannot_be_resumed_is_a_reset(site: Client) -> None:
    await site.channel()
    async with listening(site, headers={"Last-Event-ID": "1"}) as stream:
        await stream.next("reset")
    async with listening(site, headers={"Last-Event-ID": "x" * 90}) as stream:
        await stream.next("viewers")


async def test_a_viewer_with_two_tabs_is_one(site: Client) -> None:
    await site.channel()
    token = (await site.ask("POST", "/api/v1/channels/tea/viewers", token=None)).json()["token"]
    headers = {"X-Viewer-Token": token}
    async with listening(site, headers) as one, listening(site, headers) as two:
        for stream in (one, two):
            assert (await stream.next("viewers"))[1] == {"count": 1}
        async with listening(site) as other:
            assert (await other.next("viewers"))[1] == {"count": 2}


async def test_who_runs_the_channel_is_no_viewer(site: Client) -> None:
    tea, pots = await site.channel("tea"), await site.channel("pots")
    tokens = (tea["anchor_token"], OPERATOR, pots["anchor_token"])
    mine, operators, theirs = ({"Authorization": f"Bearer {token}"} for token in tokens)
    async with listening(site, mine) as anchor, listening(site, operators) as operator:
        for stream in (anchor, operator):
            assert (await stream.next("viewers"))[1] == {"count": 0}
        assert (await site.ask("GET", "/api/v1/channels/tea")).json()["viewers"] == 0
        async with listening(site, theirs) as other:
            assert (await other.next("viewers"))[1] == {"count": 1}, "runs another one"


async def test_listeners_that_left_are_let_go(site: Client) -> None:
    await site.channel()
    async with listening(site) as stream:
        await stream.next("viewers")
        assert site.server.bus.listeners("tea") == 1
    await eventually(lambda: site.server.bus.listeners("tea") == 0)


async def test_events_of_a_removed_channel_end(site: Client) -> None:
    await site.channel()
    async with listening(site) as stream:
        await stream.next("viewers")
        assert (await site.ask("DELETE", "/api/v1/channels/tea")).status == 204
        async with asyncio.timeout(10):
            await stream.response.content.read()
    assert (await site.ask("GET", EVENTS, token=None)).status == 404


async def test_how_the_stream_fares_is_told_to_those_who_run_the_channel(site: Client) -> None:
    tea, pots = await site.channel("tea"), await site.channel("pots")
    mine = {"Authorization": f"Bearer {tea['anchor_token']}"}
    theirs = {"Authorization": f"Bearer {pots['anchor_token']}"}
    warnings = {"warnings": [{"code": "black"}]}
    async with (
        listening(site, mine) as anchor,
        listening(site) as viewer,
        listening(site, theirs) as other,
    ):
        for stream in (anchor, viewer, other):
            await stream.next("viewers")
        site.server.bus.publish("tea", "health", warnings)
        await put(site, "cup")
        assert (await anchor.next("health"))[1] == warnings
        for stream in (viewer, other):
            kind, data = await stream.first()
            assert (kind, data["id"]) == ("product", "cup"), "the next that they hear"
