"""A registry with a real store and real workers, and the encoders that publish to it."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ingest.port import PublishRequest, Refused, Sink
from ingest.unit import AudioUnit, Unit, VideoUnit
from server.admission import Admission
from server.attempts import Attempts
from server.bus import Bus
from server.channel import ChannelDefaults, OverlaySettings
from server.channels import Channels, NewChannel
from server.clock import SystemClock
from server.hls.answer import Answer
from server.live.gate import Gate
from server.live.openings import LiveSettings
from server.live.registry import Registry
from server.store.sqlite import SqliteStore
from tests.helpers.clips import Clip, units
from transcode.profile import Profile, Rung

PROFILE = Profile("small", (Rung(90, 200_000),))
CLIP = units(Clip(seconds=1.0, width=160, height=90))
CONFIGS = [unit for unit in CLIP if not isinstance(unit, VideoUnit | AudioUnit)]
MEDIA = [unit for unit in CLIP if isinstance(unit, VideoUnit | AudioUnit)]
DEADLINE = 40.0


class Encoder:
    """A publisher as the registry sees it, sending a clip that goes round for ever."""

    def __init__(self, peer: str = "127.0.0.1") -> None:
        self.peer = peer
        self.dropped: str | None = None
        self.sink: Sink | None = None
        self._round = 0

    def drop(self, reason: str) -> None:
        if self.dropped is None:
            self.dropped = reason
            if self.sink is not None:
                asyncio.get_running_loop().call_soon(self.sink.close, reason)

    def send(self) -> None:
        """Send one more second."""
        assert self.sink is not None
        if self._round == 0:
            self.sink.accept(CONFIGS)
        for unit in MEDIA:
            self.sink.accept([_later(unit, self._round * 90_000)])
        self._round += 1

    def hang_up(self) -> None:
        """Leave as one who stops the broadcast."""
        assert self.sink is not None
        self.sink.close("gone", finished=True)

    def vanish(self) -> None:
        """Leave as one whose line breaks."""
        assert self.sink is not None
        self.sink.close("lost")


def _later(unit: VideoUnit | AudioUnit, ticks: int) -> Unit:
    if isinstance(unit, VideoUnit):
        return replace(unit, dts=unit.dts + ticks, pts=unit.pts + ticks)
    return replace(unit, pts=unit.pts + ticks)


class Diary:
    """Writes down what sessions it hears of."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, int]] = []

    async def session_started(self, channel: str, session: str, at_ms: int) -> None:
        await asyncio.sleep(0)
        self.lines.append(("started", session, at_ms))

    async def session_interrupted(self, channel: str, session: str, at_ms: int) -> None:
        await asyncio.sleep(0)
        self.lines.append(("interrupted", session, at_ms))

    async def session_resumed(self, channel: str, session: str, at_ms: int) -> None:
        self.lines.append(("resumed", session, at_ms))

    async def session_ended(self, channel: str, session: str, at_ms: int) -> None:
        self.lines.append(("ended", session, at_ms))


@dataclass
class Studio:
    store: SqliteStore
    bus: Bus
    registry: Registry
    gate: Gate
    channel: NewChannel
    diary: Diary
    settings: LiveSettings

    @classmethod
    async def begin(cls, folder: Path, settings: LiveSettings) -> Self:
        """Start a server's live side on the data in `folder`, the channel `tea` made anew."""
        clock = SystemClock()
        store = await SqliteStore.open(folder / "vitrine.db")
        bus = Bus(clock)
        defaults = ChannelDefaults("small", frozenset({"small"}), OverlaySettings())
        channels = Channels(store, clock, defaults, Attempts(5, 60.0))
        registry = Registry(store, bus, clock, settings)
        gate = Gate(store, Admission(channels, clock), registry)
        diary = Diary()
        registry.listen(diary)
        made = await channels.add("tea", "Tea")
        return cls(store, bus, registry, gate, made, diary, settings)

    async def end(self) -> None:
        await self.registry.close()
        await self.store.close()

    async def admit(self, encoder: Encoder, key: str | None = None) -> Refused | None:
        request = PublishRequest("rtmp", "live", key or self.channel.stream_key, encoder)
        judged = await self.gate.judge(request)
        verdict = judged if isinstance(judged, Refused) else await judged()
        if isinstance(verdict, Refused):
            return verdict
        encoder.sink = verdict
        return None

    async def playlist(self) -> str:
        edge = self.registry.edge("tea")
        assert edge is not None
        answer = await edge.playlist("90p", {})
        assert isinstance(answer, Answer)
        if answer.gzip is not None:
            assert gzip.decompress(answer.gzip.body()) == answer.body
        return answer.body.decode()

    async def on_air(self, encoder: Encoder, seconds: int = 4) -> None:
        """Send until so much can be played."""
        await self.until(encoder, lambda: self._playable_ms() >= seconds * 1_000)

    async def until(self, encoder: Encoder, condition: Callable[[], bool]) -> None:
        """Send until `condition()` holds."""
        async with asyncio.timeout(DEADLINE):
            while not condition():
                encoder.send()
                await asyncio.sleep(0.05)

    def _playable_ms(self) -> int:
        session = self.registry.stage.session("tea")
        edge = self.registry.edge("tea")
        if session is None or edge is None:
            return 0
        return (edge.window.latest_pdt_ms or 0) - session.started_ms


def number(tag: str, text: str) -> int:
    """Read a tag's number in a playlist."""
    found = re.search(rf"#EXT-X-{tag}:(\d+)", text)
    assert found is not None
    return int(found[1])


def last_msn(text: str) -> int:
    """Give the msn of the newest segment that the playlist speaks of, growing ones included."""
    return number("MEDIA-SEQUENCE", text) + text.count("#EXT-X-PROGRAM-DATE-TIME") - 1
