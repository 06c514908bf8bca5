"""A small low-latency HLS client: follows every rendition by blocking reloads, keeps every part.

It asks for the hinted part and for the next playlist at the same time, as players do, and is
strict: what may not change or go back in a playlist (RFC 8216bis 6.2.1) ends it with an
AssertionError.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import aiohttp

from tests.server.hls.reader import ReadPart, ReadPlaylist, ReadSegment, attributes, read

POLL_SECONDS = 0.05


@dataclass
class Variant:
    """One rendition as the multivariant playlist announces it."""

    name: str
    uri: str
    tags: dict[str, str]

    @property
    def resolution(self) -> tuple[int, int] | None:
        """Width and height; None: audio only."""
        told = self.tags.get("RESOLUTION")
        return None if told is None else (int(told.split("x")[0]), int(told.split("x")[1]))


@dataclass
class TakenPart:
    uri: str
    duration: Fraction
    """Seconds, as the playlist says."""
    independent: bool
    data: bytes


@dataclass
class TakenSegment:
    msn: int
    pdt_ms: int
    map_uri: str | None
    discontinuity: bool
    gap: bool = False
    duration: Fraction | None = None
    """Seconds, as EXTINF says; None while it grows."""
    parts: list[TakenPart] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        return b"".join(part.data for part in self.parts)


@dataclass
class Taken:
    """One rendition, as far as it was followed."""

    variant: Variant
    inits: dict[str, bytes] = field(default_factory=dict)
    segments: dict[int, TakenSegment] = field(default_factory=dict)
    ranges: dict[str, dict[str, str]] = field(default_factory=dict)
    """The newest tag of every date range by its id."""
    playlist: ReadPlaylist | None = None
    """The newest."""
    reloads: int = 0

    @property
    def ended(self) -> bool:
        return self.playlist is not None and self.playlist.ended

    @property
    def whole(self) -> list[TakenSegment]:
        """Segments that have their end, in order, gaps left out."""
        return [s for _, s in sorted(self.segments.items()) if s.duration is not None and not s.gap]

    @property
    def seconds(self) -> float:
        """Media taken in whole segments."""
        return float(sum(s.duration or 0 for s in self.whole))


class Recording:
    """All renditions of a broadcast, being followed."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._tasks: list[asyncio.Task[None]] = []
        self.renditions: dict[str, Taken] = {}

    @property
    def rungs(self) -> list[Taken]:
        """Those with a picture, best first."""
        return [taken for taken in self.renditions.values() if taken.variant.resolution]

    async def begin(self, names: tuple[str, ...] = ()) -> None:
        """Read the multivariant playlist; follow its renditions, or those named, from now on."""
        _, text = await self._get(f"{self._url}/index.m3u8", {})
        for variant in read_variants(text.decode()):
            if not names or variant.name in names:
                self.renditions[variant.name] = Taken(variant)
        self._tasks = [asyncio.create_task(self._follow(t)) for t in self.renditions.values()]

    async def until(self, condition: Callable[[Recording], bool], within: float) -> None:
        """Wait until `condition`. Raises TimeoutError, or what went wrong in following."""
        end = time.monotonic() + within
        while True:
            for task in self._tasks:
                if task.done():
                    task.result()
            if condition(self):
                return
            if time.monotonic() > end:
                raise TimeoutError(f"not in {within:.0f} s: {self._told()}")
            await asyncio.sleep(POLL_SECONDS)

    async def until_ended(self, within: float = 40.0) -> None:
        """Wait until every playlist has ended and all of it is taken."""
        async with asyncio.timeout(within):
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _told(self) -> dict[str, str]:
        return {
            name: f"{taken.seconds:.1f} s in {len(taken.segments)} segments"
            for name, taken in self.renditions.items()
        }

    async def _follow(self, taken: Taken) -> None:
        base = f"{self._url}/{taken.variant.uri}"
        folder, query = base.rsplit("/", 1)[0], dict[str, str]()
        hinted: dict[str, bytes] = {}
        while not taken.ended:
            hint = taken.playlist.hints[0]["URI"] if taken.playlist else None
            (_, text), (status, body) = await asyncio.gather(
                self._get(base, query),
                self._get(f"{folder}/{hint}", {}, may_fail=True) if hint else _nothing(),
            )
            if hint is not None and status == 200:
                hinted = {hint: body}
            playlist = read(text.decode())
            _judge(taken, playlist)
            await self._take(taken, playlist, folder, hinted)
            query = _after(playlist)

    async def _take(
        self, taken: Taken, playlist: ReadPlaylist, folder: str, hinted: dict[str, bytes]
    ) -> None:
        """Fetch what the playlist lists and is not there yet."""
        for segment in playlist.all_segments:
            if segment.map_uri is not None and segment.map_uri not in taken.inits:
                _, taken.inits[segment.map_uri] = await self._get(f"{folder}/{segment.map_uri}", {})
            known = taken.segments.get(segment.msn)
            if known is None:
                known = taken.segments[segment.msn] = _begun(segment)
            if known.duration is not None or known.gap:
                continue
            listed = segment.parts or _as_one_part(segment)
            for part in listed[len(known.parts) :]:
                body = hinted.get(part.uri)
                if body is None:
                    _, body = await self._get(f"{folder}/{part.uri}", {})
                known.parts.append(TakenPart(part.uri, part.duration, part.independent, body))
            known.gap, known.duration = segment.gap, segment.duration
        for key, pairs in playlist.ranges.items():
            _judge_range(taken.ranges.get(key), pairs)
            taken.ranges[key] = pairs
        taken.playlist = playlist
        taken.reloads += 1

    async def _get(
        self, url: str, query: dict[str, str], *, may_fail: bool = False
    ) -> tuple[int, bytes]:
        async with self._session.get(url, params=query) as answer:
            body = await answer.read()
            told = f"{url} {query}: {answer.status} {body[:200]!r}"
            assert may_fail or answer.status == 200, told
            return answer.status, body


@asynccontextmanager
async def following(
    session: aiohttp.ClientSession, url: str, *names: str
) -> AsyncIterator[Recording]:
    """Follow the broadcast at `url` (without `/index.m3u8`): all of it, or the renditions named."""
    recording = Recording(session, url)
    await recording.begin(names)
    try:
        yield recording
    finally:
        await recording.close()


def read_variants(text: str) -> list[Variant]:
    """Read a multivariant playlist."""
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U"
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in lines
    found = []
    for tag, uri in pairwise(lines):
        name, _, pairs = tag.partition(":")
        if name == "#EXT-X-STREAM-INF":
            found.append(Variant(uri.removeprefix("./").split("/")[0], uri, attributes(pairs)))
    assert found
    return found


async def _nothing() -> tuple[int, bytes]:
    return 0, b""


def _after(playlist: ReadPlaylist) -> dict[str, str]:
    """Ask for the part behind the last that is listed."""
    growing = playlist.growing
    if growing is not None:
        return {"_HLS_msn": str(growing.msn), "_HLS_part": str(len(growing.parts))}
    msn = playlist.media_sequence + len(playlist.segments)
    return {"_HLS_msn": str(msn), "_HLS_part": "0"}


def _begun(segment: ReadSegment) -> TakenSegment:
    assert segment.pdt_ms is not None, f"segment {segment.msn} without EXT-X-PROGRAM-DATE-TIME"
    return TakenSegment(segment.msn, segment.pdt_ms, segment.map_uri, segment.discontinuity)


def _as_one_part(segment: ReadSegment) -> list[ReadPart]:
    """A segment far behind the edge lists its parts no more: it is fetched whole."""
    if segment.gap or segment.uri is None or segment.duration is None:
        return []
    return [ReadPart(segment.uri, segment.duration, True)]


def _judge(taken: Taken, playlist: ReadPlaylist) -> None:
    assert len(playlist.hints) == (0 if playlist.ended else 1)
    before = taken.playlist
    if before is None:
        return
    assert playlist.media_sequence >= before.media_sequence, "EXT-X-MEDIA-SEQUENCE went back"
    assert playlist.target_duration == before.target_duration
    assert playlist.part_target == before.part_target
    for segment in playlist.all_segments:
        known = taken.segments.get(segment.msn)
        if known is None:
            continue
        assert (segment.pdt_ms, segment.map_uri) == (known.pdt_ms, known.map_uri)
        assert segment.discontinuity == known.discontinuity
        if segment.parts:
            uris = [part.uri for part in segment.parts]
            assert uris[: len(known.parts)] == [part.uri for part in known.parts]


def _judge_range(before: dict[str, str] | None, now: dict[str, str]) -> None:
    """Nothing changes under an id; an end may come."""
    if before is not None:
        kept = {name: now.get(name) for name in before}
        assert kept == before, f"the date range changed: {before} -> {now}"
        assert set(now) - set(before) <= {"END-DATE", "DURATION"}
