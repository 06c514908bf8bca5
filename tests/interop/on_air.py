"""A broadcast that is on the air, and the record of one that was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from overlay.layout import card_rect
from tests.helpers.hls_client import Recording, following
from tests.helpers.senders import end, ffmpeg_file, sending
from tests.helpers.sight import Area, Heard, Seen, listen, watch
from tests.helpers.vitrine_server import Api, Channel
from tests.interop.browser import Chromium, Tab
from tests.server.hls.reader import milliseconds

_FIRST_CARD = card_rect(0, 16 / 9)
FIRST_AREA = (_FIRST_CARD.x, _FIRST_CARD.y, _FIRST_CARD.width, _FIRST_CARD.height)
"""Where the first card stands."""
FRAME_MS = 1000 / 30
LIVE_SECONDS = 90.0
"""How long a busy machine may take from the first byte to the first segment."""
MINUTE_SECONDS = 60
PAGE_SECONDS = 60.0
"""How long a page may take to do what it should, on a busy machine."""
CLEAN = 4.0
"""Most mean difference to the flat background without a card: what encoding leaves."""
DRAWN = 12.0
"""Least mean difference with a card, be it at its faintest."""
GOODS = {"tea": "Sencha, first flush", "cup": "Tasting cup", "pot": "Iron pot", "tin": "Tea tin"}


@dataclass(frozen=True)
class Interval:
    """One pin, as the timeline tells it in the end. Times are PDT milliseconds."""

    id: str
    product: str
    revision: int
    slot: int
    asked: int
    start: int
    end: int
    late: bool
    exact: bool
    area: Area

    def holds(self, date_ms: float) -> bool:
        """Tell whether a picture's date lies within, knowing that dates are rounded to 1 ms."""
        return self.start - 1.5 <= date_ms < self.end - 1.5


@dataclass
class Record:
    """A broadcast from its first to its last segment."""

    recording: Recording
    channel: str
    answers: dict[str, Any] = field(default_factory=dict)
    """What the API said to each command, by name."""
    intervals: list[Interval] = field(default_factory=list)
    """In order of start."""
    seen: dict[str, list[Seen]] = field(default_factory=dict)
    """Every picture of every rung."""
    heard: dict[str, Heard] = field(default_factory=dict)

    def areas(self) -> dict[str, Area]:
        """Give where cards stand, by slot."""
        return {str(item.slot): item.area for item in self.intervals}

    async def look(self) -> None:
        """Decode every rung, each in a thread of its own."""
        areas, rungs = self.areas(), self.recording.rungs
        seen = await asyncio.gather(*(asyncio.to_thread(watch, taken, areas) for taken in rungs))
        heard = await asyncio.gather(*(asyncio.to_thread(listen, taken) for taken in rungs))
        names = [taken.variant.name for taken in rungs]
        self.seen = dict(zip(names, seen, strict=True))
        self.heard = dict(zip(names, heard, strict=True))


@asynccontextmanager
async def on_air(api: Api, channel: str, file: Path, key: str) -> AsyncIterator[Record]:
    """Broadcast a file on a channel and follow all of it until the block ends."""
    async with sending(*ffmpeg_file(file, f"{api.server.rtmp}/{key}")) as sender:
        await api.until_state(channel, "live", LIVE_SECONDS)
        async with following(api.session, f"{api.server.url}/live/{channel}") as recording:
            record = Record(recording, channel)
            yield record
            await end(sender)
            await recording.until_ended()
            await api.until_state(channel, "offline")
        found = await api.intervals(channel)
        record.intervals = sorted(map(_interval, found.values()), key=lambda item: item.start)


@asynccontextmanager
async def broadcasting(api: Api, name: str, file: Path) -> AsyncIterator[Channel]:
    """Broadcast a file round and round on a channel whose cards come and go at once."""
    made = await api.add_channel(name, motion="none")
    await stock(api, made.id)
    async with sending(*ffmpeg_file(file, f"{api.server.rtmp}/{made.stream_key}", loop=True)):
        await api.until_state(made.id, "live", LIVE_SECONDS)
        yield made
    await api.until_state(made.id, "offline")


async def watching(browser: Chromium, api: Api, show: Channel, size: tuple[int, int]) -> Tab:
    """Open the viewer's page and wait until the picture moves."""
    tab = await browser.tab(size)
    await tab.open(f"{api.server.url}/watch/{show.id}")
    await tab.plays(within=PAGE_SECONDS)
    return tab


async def stock(api: Api, channel: str) -> None:
    """Put the products that the scripts pin."""
    for product, title in GOODS.items():
        price = {"amount": 1290, "currency": "EUR"}
        await api.put_product(channel, product, title=title, price=price)


async def until_seconds(record: Record, seconds: float) -> None:
    """Wait until every rendition has so much media in whole segments."""
    await record.recording.until(
        lambda r: all(taken.seconds >= seconds for taken in r.renditions.values()), 60 + seconds
    )


def newest_ms(record: Record) -> int:
    """Give the date at which the newest segment listed begins."""
    return max(s.pdt_ms for t in record.recording.rungs for s in t.segments.values())


def in_ms(milliseconds_ahead: int) -> str:
    """Write the instant that lies so far ahead of the wall clock, as RFC 3339."""
    return written(datetime.now(UTC) + timedelta(milliseconds=milliseconds_ahead))


def written(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _interval(found: dict[str, Any]) -> Interval:
    rect = found["rect"]
    assert found["end"] is not None, f"{found['id']} has no end after the broadcast"
    return Interval(
        id=found["id"],
        product=found["product_id"],
        revision=found["revision"],
        slot=found["slot"],
        asked=milliseconds(found["t_media"]),
        start=milliseconds(found["start"]),
        end=milliseconds(found["end"]),
        late=found["late"],
        exact=found["exact"],
        area=(rect["x"], rect["y"], rect["width"], rect["height"]),
    )
