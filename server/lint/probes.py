"""Questions that players seldom ask: errors, limits, conditions, ranges, delta updates.

asyncio.
"""

from __future__ import annotations

import asyncio
from fractions import Fraction
from urllib.parse import urljoin

from server.lint.delivery import judge_cors, judge_playlist_reply
from server.lint.fetch import Fetcher, LintError
from server.lint.follower import Follower
from server.lint.notes import Notes
from server.lint.reader import PlaylistError, ReadPlaylist, ReadSegment, read, seconds
from server.lint.reply import Reply

NO_SUCH_PART = "lint-no-such-part.m4s"
AT_ONCE = 2.0
"""Seconds within which an error, or what is there already, must be answered."""
FAR = 10
TRIES = 5


class Probes:
    """Asks one rendition."""

    def __init__(self, follower: Follower, fetcher: Fetcher, notes: Notes) -> None:
        self._follower = follower
        self._fetcher = fetcher
        self._notes = notes
        self._url = follower.url
        self._kept: tuple[str, bytes] | None = None
        """A segment's URL and body, to see that they stay the same."""

    async def live(self) -> None:
        """Ask all that can be asked while the stream is live."""
        playlist = self._follower.course.playlist
        if playlist is None:
            return
        await self._media(playlist)
        await self._unknown()
        if playlist.ended:
            return
        if playlist.control.get("CAN-BLOCK-RELOAD") == "YES":
            await self._refused()
            await self._gone()
            await self._past_the_last()
            await self._whole_segment()
        await self._delta()

    async def after(self) -> None:
        """Ask what can be asked when the time is over."""
        if self._kept is not None:
            url, body = self._kept
            reply = await self._fetcher.get(url)
            same = reply.status != 200 or reply.body == body
            self._notes.check(15, "names", same, "other bytes under the same URI", url)
        playlist = self._follower.course.playlist
        if playlist is not None and playlist.ended:
            for query in ({"_HLS_msn": "999999999"}, {"_HLS_part": "1"}):
                reply = await self._fetcher.get(self._url, query)
                good = reply.status == 200 and reply.seconds < AT_ONCE
                what = f"a directive to an ended playlist answers {reply.status}"
                self._notes.check(5, "ended playlists", good, what, reply.url)

    async def _refused(self) -> None:
        """Ask what must be refused with 400 at once."""
        _, playlist = await self._fresh()
        msn, _ = playlist.newest
        cases = {
            "_HLS_part without _HLS_msn": {"_HLS_part": "0"},
            "_HLS_msn too far ahead": {"_HLS_msn": str(msn + FAR)},
        }
        for name, query in cases.items():
            self._judge_refusal(name, await self._fetcher.get(self._url, query))
        if playlist.has_part_target:
            await self._part_too_far(playlist)

    async def _part_too_far(self, playlist: ReadPlaylist) -> None:
        """Ask for a part far behind the newest; of a segment that has ended, it is the next's."""
        reply = await self._part_1000(playlist)
        for _ in range(TRIES):
            if reply.status != 200 or reply.seconds >= AT_ONCE:
                break
            later = self._read(reply)
            if later.newest[0] == playlist.newest[0]:
                break
            playlist = later
            reply = await self._part_1000(playlist)
        self._judge_refusal("_HLS_part too far ahead", reply)

    async def _part_1000(self, playlist: ReadPlaylist) -> Reply:
        query = {"_HLS_msn": str(playlist.newest[0]), "_HLS_part": "1000"}
        return await self._fetcher.get(self._url, query)

    def _judge_refusal(self, name: str, reply: Reply) -> None:
        good = reply.status == 400 and reply.seconds < AT_ONCE
        what = f"{name} answers {reply.status} after {reply.seconds:.1f} s instead of 400 at once"
        self._notes.check(5, "refusals", good, what, reply.url)
        judge_cors(self._notes, reply)

    async def _gone(self) -> None:
        """Ask for a segment that has left the playlist: all of it must come at once."""
        _, playlist = await self._fresh()
        if playlist.media_sequence == 0:
            return
        reply = await self._fetcher.get(
            self._url, {"_HLS_msn": str(playlist.media_sequence - 1), "_HLS_part": "0"}
        )
        good = reply.status == 200 and reply.seconds < AT_ONCE and not self._read(reply).skipped
        what = f"an _HLS_msn that has left answers {reply.status} after {reply.seconds:.1f} s"
        self._notes.check(5, "expired numbers", good, what, reply.url)

    async def _past_the_last(self) -> None:
        """Ask for a part behind a segment's last: it is the first of the next (6.2.5.2)."""
        _, playlist = await self._fresh()
        whole = [segment for segment in playlist.segments if segment.parts]
        if not whole:
            return
        msn, count = whole[-1].msn, len(whole[-1].parts)
        reply = await self._fetcher.get(self._url, {"_HLS_msn": str(msn), "_HLS_part": str(count)})
        good = reply.status == 200 and self._read(reply).newest >= (msn + 1, 1)
        what = f"a part behind a segment's last answers {reply.status} without the next's first"
        self._notes.check(5, "parts past the last", good, what, reply.url)

    async def _whole_segment(self) -> None:
        """Ask by _HLS_msn alone: it waits for the whole segment."""
        _, playlist = await self._fresh()
        msn = playlist.newest[0]
        reply = await self._fetcher.get(self._url, {"_HLS_msn": str(msn)})
        good = reply.status == 200 and self._read(reply).newest[0] > msn
        what = f"_HLS_msn alone answers {reply.status} before the segment is whole"
        self._notes.check(5, "whole segments", good, what, reply.url)

    async def _unknown(self) -> None:
        reply = await self._fetcher.get(urljoin(self._url, NO_SUCH_PART))
        good = reply.status in (404, 410) and reply.seconds < AT_ONCE
        what = f"an unknown part answers {reply.status} after {reply.seconds:.1f} s"
        self._notes.check(7, "unknown parts", good, what, reply.url)
        judge_cors(self._notes, reply)

    async def _media(self, playlist: ReadPlaylist) -> None:
        """Ask for a segment in all ways that HTTP has, and for the oldest one."""
        listed = [s for s in playlist.segments if not s.gap and s.uri is not None]
        if not listed:
            return
        oldest = await self._fetcher.get(urljoin(self._url, listed[0].uri or ""))
        what = f"the oldest segment listed is {oldest.status}"
        self._notes.check(9, "oldest segments", oldest.good, what, oldest.url)
        url = urljoin(self._url, listed[-1].uri or "")
        whole = await self._fetcher.get(url)
        if whole.status != 200:
            return
        self._kept = url, whole.body
        check = self._notes.check
        head = await self._fetcher.get(url, method="HEAD")
        good = head.status == 200 and head.header("Content-Length") == str(len(whole.body))
        check(15, "HEAD", good, f"HEAD answers {head.status} with another length", url)
        part = await self._fetcher.get(url, headers={"Range": "bytes=2-101"})
        good = part.status == 206 and part.body == whole.body[2:102]
        check(15, "ranges", good, f"a range answers {part.status}, or other bytes", url)
        known = {"If-None-Match": whole.header("ETag")}
        if known["If-None-Match"]:
            same = await self._fetcher.get(url, headers=known)
            check(15, "conditions", same.status == 304, f"If-None-Match is {same.status}", url)
        asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}
        preflight = await self._fetcher.get(url, headers=asked, method="OPTIONS")
        good = preflight.status in (200, 204)
        check(15, "preflights", good, f"OPTIONS answers {preflight.status}", url)
        judge_cors(self._notes, preflight)
        plain = await self._fetcher.get(self._url, headers={"Accept-Encoding": "identity"})
        good = plain.header("Content-Encoding") in ("", "identity")
        check(15, "plain playlists", good, "a coding that was not accepted", self._url)

    async def _delta(self) -> None:
        """Ask for the same playlist whole and as a delta update, and compare them."""
        if not await self._has_skipped():
            why = "the server offers no delta updates, or the playlist is too short for one"
            self._notes.unseen(6, why)

    async def _has_skipped(self) -> bool:
        for _ in range(TRIES):
            # The follower's: asked for what is not there yet, both answers are made at one moment,
            # and not one now and one out of a cache.
            before = self._follower.course.playlist
            if before is None or "CAN-SKIP-UNTIL" not in before.control or before.ended:
                return False
            boundary = seconds(before.control["CAN-SKIP-UNTIL"])
            query = {}
            if before.control.get("CAN-BLOCK-RELOAD") == "YES" and before.has_part_target:
                query = dict(zip(("_HLS_msn", "_HLS_part"), map(str, before.newest), strict=True))
            full, delta = await asyncio.gather(
                self._fetcher.get(self._url, query),
                self._fetcher.get(self._url, {**query, "_HLS_skip": "YES"}),
            )
            whole, merged = self._read(full), self._read(delta, before)
            if whole.newest == merged.newest:
                judge_playlist_reply(self._notes, delta)
                return self._compare(whole, merged, boundary)
        what = "a delta update merges into a playlist with another end"
        self._notes.check(6, "delta updates", False, what, self._follower.course.name)
        return True

    def _compare(self, whole: ReadPlaylist, merged: ReadPlaylist, boundary: Fraction) -> bool:
        """Hold a merged delta update against the whole; False when nothing was to be skipped."""
        where, check = self._follower.course.name, self._notes.check
        for rule, what in merged.faults:
            self._notes.broke(rule, what, where)
        left = sum((_lasts(each) for each in whole.all_segments), Fraction(0))
        due = bool(whole.segments) and left - _lasts(whole.segments[0]) > boundary
        if not due and not merged.skipped:
            return False
        check(6, "delta updates", merged.skipped > 0, "a delta update skips nothing", where)
        kept = sum((_lasts(each) for each in merged.all_segments[merged.skipped :]), Fraction(0))
        before = merged.segments[merged.skipped - 1] if merged.skipped else None
        near = before is not None and kept + _lasts(before) <= boundary
        check(6, "delta updates", not near, "it skips segments within the Skip Boundary", where)
        for what in ("segments", "growing", "ranges", "hints"):
            same = getattr(whole, what) == getattr(merged, what)
            told = f"a delta update merges into other {what} than the whole playlist's"
            check(6, "merged playlists", same, told, where)
        good = not merged.skipped or merged.version >= 9
        check(18, "delta updates", good, f"EXT-X-SKIP in version {merged.version}", where)
        return True

    async def _fresh(self) -> tuple[Reply, ReadPlaylist]:
        reply = await self._fetcher.get(self._url)
        return reply, self._read(reply)

    def _read(self, reply: Reply, before: ReadPlaylist | None = None) -> ReadPlaylist:
        """Read an answer's playlist. Raises LintError."""
        if reply.status != 200:
            raise LintError(f"{reply.url} answers {reply.status}")
        try:
            return read(reply.text, before)
        except PlaylistError as error:
            raise LintError(f"{reply.url}: {error}") from error


def _lasts(segment: ReadSegment) -> Fraction:
    if segment.duration is not None:
        return segment.duration
    return sum((part.duration for part in segment.parts), Fraction(0))
