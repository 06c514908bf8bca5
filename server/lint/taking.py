"""Fetches one rendition's media as it is listed, and has it judged. asyncio."""

from __future__ import annotations

import asyncio
from urllib.parse import urljoin

from server.lint.delivery import judge_media_reply
from server.lint.fetch import Fetcher, LintError
from server.lint.lane import Lane
from server.lint.notes import Notes
from server.lint.reader import PlaylistError, ReadPart, ReadPlaylist, ReadSegment, number
from server.lint.reply import Reply

WHOLE_EVERY = 4
"""Of so many segments one is fetched as a whole, the same in every rendition."""
MOST_GONE = 3
"""Looks after media that left the playlist."""


class Taking:
    """The media of one rendition, from where it was begun."""

    def __init__(self, url: str, lane: Lane, fetcher: Fetcher, notes: Notes) -> None:
        self._url = url
        self._lane = lane
        self._fetcher = fetcher
        self._notes = notes
        self._from: tuple[int, int] | None = None
        """The first part that is not taken."""
        self._bodies: dict[int, list[bytes]] = {}
        self._whole: set[int] = set()
        self._hint: tuple[str, asyncio.Task[Reply | Exception]] | None = None
        self._gone = {"part": 0, "segment": 0}

    def hint(self, playlist: ReadPlaylist) -> None:
        """Ask for the part that is hinted, beside the next reload.

        The answer is judged when the part is listed: where the stream ends, it never comes.
        """
        hints = [hint for hint in playlist.hints if hint.get("TYPE") == "PART"]
        uri = hints[0].get("URI") if hints and "BYTERANGE-START" not in hints[0] else None
        if uri is None or (self._hint is not None and self._hint[0] == uri):
            return
        self.close()
        self._hint = uri, asyncio.create_task(self._load(uri))

    def close(self) -> None:
        if self._hint is not None:
            self._hint[1].cancel()
            self._hint = None

    async def take(self, playlist: ReadPlaylist) -> None:
        """Take what is new in a playlist."""
        if self._from is None:
            self._from = playlist.newest
            self._whole = {segment.msn for segment in playlist.segments}
        for segment in playlist.all_segments:
            if segment.msn < self._from[0] or segment.gap:
                continue
            await self._map(segment)
            first = self._from[1] if segment.msn == self._from[0] else 0
            for index in range(first, len(segment.parts)):
                await self._part(segment, index, segment.parts[index])
                self._from = segment.msn, index + 1
        for segment in playlist.segments:
            if segment.msn not in self._whole:
                self._whole.add(segment.msn)
                await self._close_segment(segment)
        self._whole = {msn for msn in self._whole if msn >= playlist.media_sequence}

    async def look_after(self, before: ReadPlaylist, now: ReadPlaylist) -> None:
        """Look whether what just left the list can still be loaded (6.2.2)."""
        gone = [s for s in before.segments if s.msn < now.media_sequence and not s.gap]
        if gone and gone[-1].uri:
            await self._still("segment", gone[-1].uri)
        parted = {segment.msn for segment in now.all_segments if segment.parts}
        for segment in before.segments:
            if segment.parts and segment.msn not in parted and not segment.parts[0].byterange:
                await self._still("part", segment.parts[0].uri)
                return

    async def _still(self, what: str, uri: str) -> None:
        if self._gone[what] < MOST_GONE:
            self._gone[what] += 1
            try:
                reply = await self._fetcher.get(urljoin(self._url, uri))
            except LintError as error:
                self._notes.broke(9, f"a request for a {what} that left failed", str(error))
                return
            told = f"a {what} that just left the playlist is {reply.status}"
            self._notes.check(9, f"{what}s that left", reply.good, told, uri)

    async def _map(self, segment: ReadSegment) -> None:
        uri = segment.map_uri
        if uri is not None and not self._lane.knows(uri):
            reply = await self._get(uri)
            if reply is not None:
                self._lane.init(uri, reply.body)

    async def _part(self, segment: ReadSegment, index: int, part: ReadPart) -> None:
        if part.gap:
            return
        reply: Reply | None = None
        if self._hint is not None and self._hint[0] == part.uri:
            reply = self._judged(part.uri, await self._hint[1])
            self._hint = None
            good = reply is not None
            where = f"{self._lane.name}, part {segment.msn}.{index}"
            self._notes.check(7, "hinted parts", good, "a hinted part was not given", where)
        if reply is None:
            reply = await self._get(part.uri, part.byterange)
        if reply is None:
            return
        bodies = self._bodies.setdefault(segment.msn, [])
        if len(bodies) == index:
            bodies.append(reply.body)
        self._lane.part(segment, index, part, reply.body)

    async def _close_segment(self, segment: ReadSegment) -> None:
        bodies = self._bodies.pop(segment.msn, [])
        self._lane.whole(segment)
        if segment.gap or segment.uri is None or segment.msn % WHOLE_EVERY:
            return
        await self._map(segment)
        reply = await self._get(segment.uri)
        if reply is not None:
            parts = bodies if len(bodies) == len(segment.parts) else []
            self._lane.segment(segment, reply.body, parts)

    async def _get(self, uri: str, byterange: str | None = None) -> Reply | None:
        """Fetch media; None, and a fault, when it is not there."""
        return self._judged(uri, await self._load(uri, byterange))

    async def _load(self, uri: str, byterange: str | None = None) -> Reply | Exception:
        """Fetch media, or give the reason why there is no answer."""
        try:
            headers = {} if byterange is None else {"Range": _range(byterange)}
            return await self._fetcher.get(urljoin(self._url, uri), headers=headers)
        except (LintError, PlaylistError) as error:
            return error

    def _judged(self, uri: str, got: Reply | Exception) -> Reply | None:
        """Judge what came of media that is listed; None, and a fault, when it is not there."""
        if isinstance(got, Exception):
            self._notes.broke(15, "a request for media failed", str(got))
            return None
        if not got.good:
            self._notes.broke(15, f"media that is listed or hinted is {got.status}", uri)
            return None
        judge_media_reply(self._notes, got)
        return got


def _range(byterange: str) -> str:
    """Write the header field for a BYTERANGE. Raises PlaylistError."""
    length, _, begin = byterange.partition("@")
    first = number(begin or "0")
    return f"bytes={first}-{first + number(length) - 1}"
