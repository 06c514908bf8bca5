"""Watches a live stream for a while and judges it, rule by rule. asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from server.lint.client import HTTP_2, Client, Trust
from server.lint.course import Course
from server.lint.delivery import judge_playlist_reply
from server.lint.ensemble import Ensemble
from server.lint.fetch import MOST_BYTES, Fetcher, LintError
from server.lint.follower import Clocks, Follower
from server.lint.lane import Lane
from server.lint.multivariant import (
    ReadMultivariant,
    Stream,
    is_multivariant,
    read_multivariant,
)
from server.lint.notes import Notes, Verdict
from server.lint.pace import Pace
from server.lint.probes import Probes
from server.lint.reader import PlaylistError
from server.lint.taking import Taking

MOST_RENDITIONS = 8
TELL_SECONDS = 1.0
REAL = Clocks(time.monotonic, time.time)
SYSTEM = Trust()


@dataclass(frozen=True, slots=True)
class Progress:
    seconds: float
    requests: int
    broken: int
    """Rules broken so far."""


@dataclass(frozen=True, slots=True)
class Report:
    url: str
    seconds: float
    requests: int
    renditions: tuple[str, ...]
    protocols: tuple[str, ...]
    """Versions of HTTP that answers came by."""
    verdicts: tuple[Verdict, ...]


Tell = Callable[[Progress], None]


async def lint(
    url: str,
    seconds: float,
    tell: Tell | None = None,
    *,
    trust: Trust = SYSTEM,
    clocks: Clocks = REAL,
) -> Report:
    """Watch the stream at `url` (a multivariant or a media playlist) for so many seconds.

    Raises LintError when there is no stream to look at, or none that is live.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise LintError(f"not an http or https address: {url}")
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(Client(trust, MOST_BYTES))
        except OSError as error:
            raise LintError(f"{trust.ca}: {error.strerror or error}") from error
        fetcher = Fetcher(client, clocks.monotonic)
        watch = _Watch(url, fetcher, clocks)
        await watch.begin()
        teller = asyncio.create_task(_keep_telling(watch, fetcher, clocks, tell))
        try:
            await watch.run(seconds)
        finally:
            teller.cancel()
        _judge_protocols(watch.notes, fetcher)
        return watch.report()


class _Watch:
    """One run: a follower for each rendition, and questions to the first."""

    def __init__(self, url: str, fetcher: Fetcher, clocks: Clocks) -> None:
        self.notes = Notes()
        self._url = url
        self._fetcher = fetcher
        self._clocks = clocks
        self.began = clocks.monotonic()
        self._multivariant: ReadMultivariant | None = None
        self._followers: dict[str, Follower] = {}
        self._lanes: dict[str, Lane] = {}
        self._ensemble = Ensemble({}, self.notes)

    async def begin(self) -> None:
        """Load the playlists for the first time. Raises LintError."""
        reply = await self._fetcher.get(self._url)
        if reply.status != 200:
            raise LintError(f"{self._url} answers {reply.status}")
        streams: dict[str, tuple[str, Stream | None]] = {"stream": (reply.url, None)}
        if is_multivariant(reply.text):
            judge_playlist_reply(self.notes, reply)
            self._multivariant = await self._load_multivariant()
            streams = {
                name: (urljoin(reply.url, stream.uri), stream)
                for name, stream in self._named(self._multivariant).items()
            }
        else:
            self.notes.unseen(14, "the address is that of a single media playlist")
        self._ensemble = Ensemble({name: url for name, (url, _) in streams.items()}, self.notes)
        for name, (url, stream) in streams.items():
            self._add(name, url, stream)
        await asyncio.gather(*(follower.begin() for follower in self._followers.values()))
        if all(follower.has_ended for follower in self._followers.values()):
            what = "the stream has ended (EXT-X-ENDLIST), or is a recording; only a live one is"
            raise LintError(f"{self._url}: {what} judged")

    async def run(self, seconds: float) -> None:
        """Follow all renditions, ask the first one's questions, then compare the ends."""
        until = self._clocks.monotonic() + seconds
        first = next(iter(self._followers.values()))
        probes = Probes(first, self._fetcher, self.notes)
        async with asyncio.TaskGroup() as tasks:
            for follower in self._followers.values():
                tasks.create_task(follower.follow(until))
            tasks.create_task(self._ask(probes.live))
        await asyncio.gather(*(each.once_more() for each in self._followers.values()))
        await self._ask(probes.after)
        await self._close()

    def report(self) -> Report:
        return Report(
            self._url,
            self._clocks.monotonic() - self.began,
            self._fetcher.requests,
            tuple(self._followers),
            tuple(sorted(set(self._fetcher.protocols.values()))),
            self.notes.verdicts(),
        )

    def _add(self, name: str, url: str, stream: Stream | None) -> None:
        course = Course(name, self.notes, self._ensemble)
        lane = Lane(name, stream, self.notes, self._ensemble)
        self._lanes[name] = lane
        self._followers[name] = Follower(
            url,
            course,
            Taking(url, lane, self._fetcher, self.notes),
            Pace(name, self.notes),
            self._fetcher,
            self.notes,
            self._clocks,
        )

    async def _ask(self, questions: Callable[[], object]) -> None:
        """Ask; what cannot be asked is a fault of blocking reload, not the end of the watch."""
        try:
            asked = questions()
            if asyncio.iscoroutine(asked):
                await asked
        except (LintError, PlaylistError) as error:
            self.notes.broke(5, "a question was not answered", str(error))

    async def _load_multivariant(self) -> ReadMultivariant:
        reply = await self._fetcher.get(self._url)
        try:
            return read_multivariant(reply.text)
        except PlaylistError as error:
            raise LintError(f"{self._url}: {error}") from error

    def _named(self, multivariant: ReadMultivariant) -> dict[str, Stream]:
        """Name the renditions that are watched, each by another name."""
        named: dict[str, Stream] = {}
        for stream in multivariant.streams[:MOST_RENDITIONS]:
            name = stream.name if stream.name not in named else stream.uri
            named[name] = stream
        return named

    async def _close(self) -> None:
        """Judge what only the whole watch can tell."""
        self._ensemble.close()
        for follower in self._followers.values():
            follower.pace.close()
        if self._multivariant is None:
            return
        try:
            self._multivariant = await self._load_multivariant()
        except LintError as error:
            self.notes.broke(14, "the multivariant playlist did not come again", str(error))
        self._judge_multivariant(self._multivariant)
        for name, stream in self._named(self._multivariant).items():
            if name not in self._lanes:
                continue
            playlist = self._followers[name].course.playlist
            if playlist is not None and playlist.segments:
                listed = playlist.segments[0].msn, playlist.segments[-1].msn
                self._lanes[name].close(stream, listed, playlist.target_duration)

    def _judge_multivariant(self, multivariant: ReadMultivariant) -> None:
        check = self.notes.check
        what = "EXT-X-INDEPENDENT-SEGMENTS is missing"
        check(14, "multivariant playlists", multivariant.independent, what)
        variants = [stream for stream in multivariant.streams if stream.variant]
        for stream in variants:
            needed = ["BANDWIDTH", "AVERAGE-BANDWIDTH", "CODECS"]
            if stream.size is not None or "RESOLUTION" in stream.tags:
                needed.append("FRAME-RATE")
            missing = [name for name in needed if name not in stream.tags]
            what = f"a variant without {', '.join(missing)}"
            check(14, "variants", not missing, what, stream.name)
        without = [stream.tags.get("CLOSED-CAPTIONS") == "NONE" for stream in variants]
        what = "CLOSED-CAPTIONS=NONE of some variants, not of all"
        check(14, "captions", all(without) or not any(without), what)
        pictures = [stream for stream in multivariant.streams if stream.size is not None]
        alone = len(pictures) < len(multivariant.streams) or not pictures
        check(14, "audio-only renditions", alone, "there is no audio-only rendition")


async def _keep_telling(watch: _Watch, fetcher: Fetcher, clocks: Clocks, tell: Tell | None) -> None:
    while tell is not None:
        await asyncio.sleep(TELL_SECONDS)
        lasted = clocks.monotonic() - watch.began
        tell(Progress(lasted, fetcher.requests, watch.notes.broken))


def _judge_protocols(notes: Notes, fetcher: Fetcher) -> None:
    """Judge by what each server with TLS answered."""
    for (scheme, server), protocol in fetcher.protocols.items():
        if scheme == "https":
            notes.check(15, HTTP_2, protocol == HTTP_2, "TLS does not offer HTTP/2", server)
