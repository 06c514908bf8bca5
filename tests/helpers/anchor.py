"""An anchor on the air: a short clip over and over, at the speed of the clock, by RtmpPublisher."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache

from ingest.rtmp.amf0 import Value
from ingest.unit import TICKS_PER_MS, AudioConfig, AudioUnit, Unit, VideoConfig, VideoUnit
from tests.helpers import flv_tags
from tests.helpers.clips import Clip, units
from tests.helpers.rtmp_publisher import RtmpPublisher

CLIP_MS = 2_000
STEP_MS = 100


class Anchor:
    """What came of the publish, and the connection to hear the server on."""

    def __init__(self, publisher: RtmpPublisher, status: dict[str, Value]) -> None:
        self.publisher = publisher
        self.status = status

    @property
    def on_air(self) -> bool:
        return self.status["code"] == "NetStream.Publish.Start"


@asynccontextmanager
async def publishing(port: int, key: str) -> AsyncIterator[Anchor]:
    """Publish until the block ends; then vanish."""
    publisher = await RtmpPublisher.connect(port)
    anchor = Anchor(publisher, await publisher.publish(key))
    media = await asyncio.to_thread(_clip)
    sending = asyncio.create_task(_send(publisher, media)) if anchor.on_air else None
    try:
        yield anchor
    finally:
        if sending is not None:
            sending.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await sending
        publisher.abort()


async def _send(publisher: RtmpPublisher, media: tuple[Unit, ...]) -> None:
    """Send for ever, in steps; what is due is sent at once."""
    clock = asyncio.get_running_loop().time
    began, sent_ms = clock(), 0
    for round_ms in range(0, 10**9, CLIP_MS):
        for unit in media:
            at_ms = round_ms + _time_ms(unit)
            if at_ms >= sent_ms + STEP_MS:
                await publisher.drain()
                sent_ms = at_ms
                await asyncio.sleep(max(0.0, began + at_ms / 1000 - clock()))
            _put(publisher, unit, round_ms)


def _put(publisher: RtmpPublisher, unit: Unit, round_ms: int) -> None:
    match unit:
        case VideoConfig(extradata=record) if round_ms == 0:
            publisher.video(0, flv_tags.avc_header(record))
        case AudioConfig(extradata=config) if round_ms == 0:
            publisher.audio(0, flv_tags.aac_header(config))
        case VideoUnit(keyframe=key, data=data):
            publisher.video(round_ms + _time_ms(unit), flv_tags.avc_frame(data, key=key))
        case AudioUnit(data=data):
            publisher.audio(round_ms + _time_ms(unit), flv_tags.aac_frame(data))


def _time_ms(unit: Unit) -> int:
    match unit:
        case VideoUnit(dts=ticks) | AudioUnit(pts=ticks):
            return ticks // TICKS_PER_MS
        case _:
            return 0


@cache
def _clip() -> tuple[Unit, ...]:
    return tuple(units(Clip(seconds=CLIP_MS / 1000, width=160, height=90)))
