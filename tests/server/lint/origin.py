"""A live origin that is scripted: true to every rule, until it is told to break one.

Media is made by code, the origin is the product's own, over loopback HTTP. Its clock goes only
when everybody waits, so a minute of media takes a second.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from struct import pack

from aiohttp import web
from aiohttp.test_utils import TestServer

from server.hls.edge import Edge
from server.hls.id3 import SCHEME, emsg
from server.hls.playlist import DateRange
from server.hls.window import Window
from server.http.hls import add_routes
from server.lint.follower import Clocks
from transcode.fmp4 import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    AudioTrack,
    Run,
    Sample,
    VideoTrack,
    fragment,
    init_section,
)
from transcode.nal import avcc
from transcode.part import Epoch, Part, Track

AVCC = avcc((bytes.fromhex("6742c01e95a0280bfe54"),), (b"\x68\xce\x3c\x80",))
FRAME = 3750
"""Ticks at 24 pictures a second."""
SOUND = 1000
"""Ticks of the sound's own clock, 48 kHz: 12 of them last as long as a part."""
FRAMES = (6, 6, 6, 6)
"""Pictures in each part of a segment."""
PDT = 1_767_225_600_000
PRELOADED = 20
"""Segments, of about a second, that are there when somebody comes."""
BEGUN = 1020.0
"""What the clock shows then, seconds."""
JUMPS = PRELOADED + 2
"""The first segment behind a leap of media times."""
PATIENCE = 6
"""Looks without a change until everybody is taken to be waiting."""

Spoil = Callable[[web.Request, web.Response], web.Response]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _emsg(at: int, version: int, size: int) -> bytes:
    """Write an event with an ID3 of so many bytes; `at` in ticks."""
    message = b"ID3" + bytes(size - 3)
    if version == 1:
        return emsg(at, f"{at}", message)
    body = bytes(4) + SCHEME.encode() + b"\0\0" + pack(">IIII", 90_000, 0, 0, 1) + message
    return pack(">I4s", 8 + len(body), b"emsg") + body


@dataclass(frozen=True)
class Vice:
    """What one origin does wrong."""

    frames: tuple[int, ...] = FRAMES
    idr: bool = True
    """Whether segments begin with an IDR."""
    event_version: int = 1
    event_size: int = 40
    pairs: int = 1
    """Fragments in a part."""
    same_sound: bool = True
    stall: float = 0.0
    """Seconds without a part, once."""
    apart: int = 0
    """Ticks by which the media times of one rendition are off the others'."""
    jump: int = 0
    """Ticks by which all media times leap, once."""
    ends: bool = False
    """Whether the playlists end before the watch does."""
    text: Callable[[web.Request, str], str] | None = None
    """Changes playlists."""
    reply: Spoil | None = None
    """Changes answers."""
    query: Callable[[dict[str, str]], dict[str, str] | None] | None = None
    """Changes what is asked; None: answered as a plain reload."""


class Origin:
    """One channel, `show`, with two rungs and a rendition of sound alone."""

    def __init__(self, vice: Vice) -> None:
        self.vice = vice
        self.seconds = BEGUN - PRELOADED
        audio = AudioTrack(b"\x11\x90", 48_000, 2)
        names = "avc1.42c01e,mp4a.40.2"
        self.tracks = (
            self._rung("90p", 160, 90, audio, names),
            self._rung("60p", 106, 60, audio, names),
            Track("audio", "mp4a.40.2", 64_000, init=init_section(None, audio)),
        )
        self.window = Window("lint", first_msn=7, first_discontinuity=3)
        self.window.open_epoch(Epoch(0, 0, PDT, FRAME * 6, FRAME * 24, self.tracks))
        self._segment = self._index = self._tick = 0
        self._stalled = False
        self.edge = Edge(self.window, self)
        for _ in range(PRELOADED * len(vice.frames) + 1):
            self.publish()
        pin = (("X-COM-EXAMPLE-PRODUCT", "cup"),)
        start = PDT + 15_000
        self.window.annotate((DateRange("pin-1", "com.example.pin", start, 60_000, None, pin),))

    def _rung(self, name: str, width: int, height: int, audio: AudioTrack, codecs: str) -> Track:
        init = init_section(VideoTrack(AVCC, width, height), audio)
        return Track(name, codecs, 900_000, width, height, Fraction(24), init)

    # Clock

    def monotonic(self) -> float:
        return self.seconds

    def wall_ms(self) -> int:
        return PDT + int(self.seconds * 1000)

    @property
    def clocks(self) -> Clocks:
        return Clocks(self.monotonic, lambda: self.wall_ms() / 1000)

    # Origin

    def edge_of(self, channel: str) -> Edge | None:
        return self.edge if channel == "show" else None

    def publish(self) -> None:
        """Publish the next part in every rendition."""
        frames = self.vice.frames
        count = frames[self._index]
        last = self._index == len(frames) - 1
        for track in self.tracks:
            self.window.add(
                Part(
                    epoch=0,
                    rendition=track.name,
                    segment=self._segment,
                    index=self._index,
                    start=self._tick,
                    duration=count * FRAME,
                    independent=self._index == 0,
                    last=last,
                    data=self._data(track, count),
                )
            )
        self._tick += count * FRAME
        self._segment, self._index = (
            (self._segment + 1, 0) if last else (self._segment, self._index + 1)
        )
        self.seconds += count * FRAME / 90_000

    async def go_on(self) -> None:
        """Publish whenever everybody waits."""
        still, before = 0, (-1, -1)
        while True:
            await asyncio.sleep(0.001)
            state = self.edge.waiting, self.requests
            still = still + 1 if state == before and state[0] else 0
            before = state
            if still >= PATIENCE:
                if self.vice.stall and not self._stalled and self.seconds > BEGUN + 3:
                    self._stalled = True
                    self.seconds += self.vice.stall
                if self.vice.ends and self.seconds > BEGUN + 3:
                    self.window.end()
                    self.edge.published()
                    return
                self.publish()
                self.edge.published()
                still = 0

    requests = 0

    def _data(self, track: Track, count: int) -> bytes:
        vice = self.vice
        begin = self._tick + (vice.apart if track.name == "60p" else 0)
        begin += vice.jump if self._segment >= JUMPS else 0
        events = b""
        if self._index == 0:
            version, size = vice.event_version, vice.event_size
            events = _emsg(begin, version, size)
        share, data = count // vice.pairs, b""
        for turn in range(vice.pairs):
            tick = begin + turn * share * FRAME
            data += fragment(tick // FRAME, self._runs(track, tick, share, first=turn == 0))
        return events + data

    def _runs(self, track: Track, tick: int, count: int, *, first: bool) -> list[Run]:
        begins = self._index == 0 and first
        kind = 0x65 if self.vice.idr else 0x41
        pictures = [
            Sample(
                pack(">IB", 401, kind if begins and n == 0 else 0x41) + bytes(400),
                FRAME,
                begins and n == 0,
            )
            for n in range(count)
        ]
        own = b"" if self.vice.same_sound else track.name.encode()
        sounds = [Sample(own + bytes(100 - len(own)), SOUND, True) for _ in range(2 * count)]
        sound = Run(AUDIO_TRACK, tick * 48_000 // 90_000, sounds)
        return [Run(VIDEO_TRACK, tick, pictures), sound] if track.width else [sound]


@asynccontextmanager
async def serving(vice: Vice) -> AsyncIterator[tuple[Origin, str]]:
    """Serve an origin; give it and the URL of its multivariant playlist."""
    origin = Origin(vice)

    class _Channels:
        def edge(self, channel_id: str) -> Edge | None:
            return origin.edge_of(channel_id)

    @web.middleware
    async def spoiled(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin.requests += 1
        if vice.query is not None:
            asked = vice.query(dict(request.query))
            request = request.clone(rel_url=request.rel_url.with_query(asked or {}))
            request._match_info = request.match_info
        answer = await handler(request)
        assert isinstance(answer, web.Response)
        if vice.text is not None and answer.content_type.endswith("mpegurl") and answer.body:
            answer = _retold(request, answer, vice.text)
        return answer if vice.reply is None else vice.reply(request, answer)

    app = web.Application(middlewares=[spoiled])
    add_routes(app, _Channels())
    async with TestServer(app) as server:
        going = asyncio.create_task(origin.go_on())
        try:
            yield origin, str(server.make_url("/live/show/index.m3u8"))
        finally:
            going.cancel()
            origin.edge.close()


def _retold(
    request: web.Request, answer: web.Response, tell: Callable[[web.Request, str], str]
) -> web.Response:
    """Tell a playlist otherwise, in the coding that was asked for."""
    body = answer.body
    assert isinstance(body, bytes)
    coded = answer.headers.get("Content-Encoding") == "gzip"
    text = tell(request, (gzip.decompress(body) if coded else body).decode()).encode()
    headers = {k: v for k, v in answer.headers.items() if k not in ("Content-Length", "ETag")}
    return web.Response(body=gzip.compress(text) if coded else text, headers=headers)
