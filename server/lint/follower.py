"""Follows one rendition as a player would: blocking reloads, each with the hinted part. asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from server.lint.course import Course
from server.lint.delivery import judge_playlist_reply, judge_uris
from server.lint.fetch import Fetcher, LintError
from server.lint.notes import Notes
from server.lint.pace import Pace
from server.lint.reader import PlaylistError, ReadPlaylist, read
from server.lint.reply import Reply
from server.lint.taking import Taking

MOST_FAILURES = 3
"""In a row; then the rendition is given up."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where time comes from."""

    monotonic: Callable[[], float]
    """Seconds."""
    wall: Callable[[], float]
    """UTC seconds."""


class Follower:
    """One rendition."""

    def __init__(
        self,
        url: str,
        course: Course,
        taking: Taking,
        pace: Pace,
        fetcher: Fetcher,
        notes: Notes,
        clocks: Clocks,
    ) -> None:
        self.url = url
        self.course = course
        self.pace = pace
        self._taking = taking
        self._fetcher = fetcher
        self._notes = notes
        self._clocks = clocks
        self._failures = 0

    @property
    def has_ended(self) -> bool:
        """Tell whether the newest playlist has EXT-X-ENDLIST."""
        return self.course.playlist is not None and self.course.playlist.ended

    async def begin(self) -> None:
        """Load the playlist for the first time. Raises LintError when there is none."""
        reply = await self._fetcher.get(self.url)
        if reply.status != 200:
            raise LintError(f"{self.url} answers {reply.answer}")
        try:
            self._judge(reply, read(reply.text), blocked=False)
        except PlaylistError as error:
            raise LintError(f"{self.url}: {error}") from error

    async def follow(self, until: float) -> None:
        """Reload until the time is over, the playlist has ended, or nothing comes any more."""
        try:
            while self._failures < MOST_FAILURES and self._clocks.monotonic() < until:
                playlist = self.course.playlist
                if playlist is None or playlist.ended:
                    return
                await self._step(playlist)
        finally:
            self._taking.close()

    async def once_more(self) -> None:
        """Load the playlist a last time, so that all renditions are compared at their end."""
        if self._failures < MOST_FAILURES:
            playlist = await self._reload({}, None)
            if playlist is not None:
                await self._taking.take(playlist)

    async def _step(self, before: ReadPlaylist) -> None:
        query: dict[str, str] = {}
        asked: tuple[int, int] | None = None
        if before.control.get("CAN-BLOCK-RELOAD") == "YES":
            msn, part = before.newest
            query["_HLS_msn"] = str(msn)
            asked = msn, 0
            if before.has_part_target:
                query["_HLS_part"] = str(part)
                asked = msn, part
            self._taking.hint(before)
        else:
            await asyncio.sleep(before.target_duration / 2)
        playlist = await self._reload(query, asked)
        if playlist is not None:
            self._comes_true(before, playlist)
            await self._taking.take(playlist)
            await self._taking.look_after(before, playlist)

    async def _reload(
        self, query: dict[str, str], asked: tuple[int, int] | None
    ) -> ReadPlaylist | None:
        """Load the playlist; None, and a fault, when it does not come."""
        name = self.course.name
        try:
            reply = await self._fetcher.get(self.url, query)
            if reply.status != 200:
                raise LintError(f"{reply.url} answers {reply.answer}")
            playlist = read(reply.text)
            self._failures = 0
        except (LintError, PlaylistError) as error:
            self._failures += 1
            self._notes.broke(3 if asked is None else 5, "a playlist did not come", str(error))
            return None
        if asked is not None and not playlist.ended:
            there = (
                playlist.newest > asked if "_HLS_part" in query else playlist.newest[0] > asked[0]
            )
            what = "a blocking reload was answered before what it asked for was there"
            self._notes.check(5, "blocking reloads", there, what, f"{name}, {asked[0]}.{asked[1]}")
        self._judge(reply, playlist, blocked=asked is not None)
        return playlist

    def _judge(self, reply: Reply, playlist: ReadPlaylist, *, blocked: bool) -> None:
        judge_playlist_reply(self._notes, reply)
        judge_uris(self._notes, self.course.name, playlist)
        try:
            self.course.take(playlist)
        except PlaylistError as error:
            self._notes.broke(18, f"a tag cannot be read: {error}", self.course.name)
            return
        self.pace.take(playlist, reply.ended, self._clocks.wall(), blocked=blocked)

    def _comes_true(self, before: ReadPlaylist, now: ReadPlaylist) -> None:
        """Judge whether the part that was hinted is the next that is listed."""
        hints = [hint.get("URI") for hint in before.hints if hint.get("TYPE") == "PART"]
        if len(hints) != 1 or now.newest <= before.newest:
            return
        msn, count = before.newest
        for segment in now.all_segments:
            parts = segment.parts[count if segment.msn == msn else 0 :]
            if segment.msn >= msn and parts:
                good = parts[0].uri == hints[0]
                what = "the part that followed is another than the one hinted"
                where = f"{self.course.name}, segment {segment.msn}"
                self._notes.check(7, "hints", good, what, where)
                return
