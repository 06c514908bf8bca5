"""A shop on a real store and bus, before a stage that the test directs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from overlay.scene import Card, Money
from overlay.tiles import check
from server.bus import Bus, Event, Subscription
from server.channel import Channel, OverlayMode, OverlaySettings
from server.shop.catalogue import Product
from server.shop.draft import Draft
from server.shop.pins import PinRequest
from server.shop.port import LiveSession
from server.shop.service import Shop
from server.shop.settings import ShopSettings, ShowSettings
from server.shop.timeline import Interval
from server.store.sqlite import SqliteStore
from tests.helpers.manual_clock import START_MS, ManualClock
from tests.helpers.scripted_stage import ScriptedStage

CHANNEL = Channel("tea", "Tea", "default", OverlaySettings(), START_MS)
QUICK = ShopSettings(max_products=50, show=ShowSettings(shown_deadline=1.0))
NOW = START_MS + 60_000


def product(name: str, **changes: object) -> Product:
    made = Product(name, f"Title {name}", Money(1290, "EUR"))
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class Room:
    """The channel `tea` and everything around it."""

    store: SqliteStore
    bus: Bus
    stage: ScriptedStage
    clock: ManualClock
    shop: Shop
    events: Subscription
    channel: Channel = CHANNEL

    async def go_live(self, session: str = "s1") -> None:
        self.stage.live = LiveSession(session, START_MS)
        self.stage.now = NOW
        await self.shop.session_started("tea", session, START_MS)

    async def put(self, *names: str) -> None:
        for name in names:
            await self.shop.put_product("tea", Draft(product(name)), "operator")

    async def pin(self, name: str) -> Interval:
        return await self.shop.pin("tea", PinRequest(name), "anchor:tea")

    async def told(self, kind: str) -> list[Event]:
        """Take what was published so far."""
        found = []
        while (event := await self.events.next(0)) is not None:
            found.append(event)
        return [event for event in found if event.kind == kind]

    def on_screen(self) -> tuple[Card, ...]:
        return self.stage.scenes[-1][1].cards if self.stage.scenes else ()


async def _room(path: Path, mode: OverlayMode) -> AsyncIterator[Room]:
    store = await SqliteStore.open(path / "vitrine.sqlite3")
    clock, stage = ManualClock(), ScriptedStage()
    bus = Bus(clock)
    channel = replace(CHANNEL, overlay=OverlaySettings(mode))
    await store.add_channel(channel, (), 10)
    shop = Shop(store, bus, stage, clock, check, QUICK)
    room = Room(store, bus, stage, clock, shop, bus.subscribe("tea"), channel)
    yield room
    await shop.close()
    await store.close()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async for made in _room(tmp_path, OverlayMode.BURN):
        yield made


@pytest.fixture
async def page_room(tmp_path: Path) -> AsyncIterator[Room]:
    """A channel whose cards the page draws."""
    async for made in _room(tmp_path, OverlayMode.CLIENT):
        yield made
