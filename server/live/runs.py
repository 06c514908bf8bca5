"""The windows of one broadcast, one after the other: each with its edge is a run.

asyncio, by its edges. Mostly there is one; another follows where an epoch does not fit.
"""

from __future__ import annotations

import structlog

from server.channel import Sequences
from server.clock import Clock
from server.hls.edge import Edge
from server.hls.errors import WindowError
from server.hls.id3 import InBand
from server.hls.playlist import DateRange
from server.hls.recall import Recalled
from server.hls.window import Window
from server.live.broadcast import Broadcast
from transcode.part import Epoch, Part

SEQUENCES_AHEAD = 3
LEEWAY_MS = 5_000
"""Media is no later behind the wall clock than this when it is listed."""


class Runs:
    """Publishes what the worker made. `window` and `edge` are those of the run that is on."""

    window: Window
    edge: Edge

    def __init__(self, broadcast: Broadcast, clock: Clock) -> None:
        self.floor_ms = broadcast.carry.pdt_ms
        """PDT at which the run before ended: this one goes on behind it."""
        self._broadcast = broadcast
        self._clock = clock
        self._log = structlog.get_logger("live").bind(
            channel=broadcast.channel, session=broadcast.session
        )
        self._count = 0
        self._open(broadcast.carry, broadcast.before)
        if broadcast.recalled is not None:
            self._recall(broadcast.recalled)
        self._newest_ms = self.window.latest_pdt_ms or 0
        """Where the newest media ends, PDT."""
        self._came = clock.monotonic() - self._away_ms() / 1000
        """When it came."""

    @property
    def axis_ms(self) -> int:
        """The PDT that would be listed now, had media gone on: its end, and the time since then.

        By the clock that nobody sets. Where the wall clock leaps, no time has gone by.
        """
        return self._newest_ms + round(1000 * (self._clock.monotonic() - self._came))

    @property
    def sequences(self) -> Sequences:
        """Where a later window of this channel goes on.

        Ahead of what is published: they may be saved a little late, and a crash must not
        lead back to numbers that were used.
        """
        return Sequences(
            self.window.next_msn + SEQUENCES_AHEAD,
            self.window.discontinuity_sequence,
            max(self.window.latest_pdt_ms or 0, self.floor_ms),
        )

    def begin(self, epoch: Epoch) -> None:
        """Begin an epoch, in a run of its own where it does not fit. Raises WindowError."""
        latest_ms = self.window.latest_pdt_ms
        lapsed_ms = 0 if latest_ms is None else max(0, self.axis_ms - latest_ms)
        try:
            self.window.open_epoch(epoch, lapsed_ms + LEEWAY_MS)
        except WindowError as error:
            # Longer targets than were announced, or times that overlap: players must load anew.
            self._log.warning("playlist begins anew", reason=str(error))
            carry, ranges = self.sequences, self.window.date_ranges
            self.end()
            self.floor_ms = carry.pdt_ms
            self._open(carry, self.edge)
            self.window.open_epoch(epoch)
            self.window.annotate(ranges)

    def add(self, part: Part) -> bool:
        """Publish a part; tell whether `sequences` have grown with it: a segment is whole."""
        before_ms = self.window.latest_pdt_ms
        try:
            self.window.add(part)
        except WindowError as error:
            self._log.error("part left out", error=str(error))
            return False
        latest_ms = self.window.latest_pdt_ms
        if latest_ms is not None and latest_ms != before_ms:
            self._newest_ms, self._came = latest_ms, self._clock.monotonic()
        self.edge.published()
        return part.last and part.rendition == self.window.tracks[0].name

    def lapse(self) -> bool:
        """Let gaps stand for what did not come; tell whether there are any new ones."""
        lapsed = self.window.lapse(self.axis_ms)
        if lapsed:
            self.edge.published()
        return lapsed

    def annotate(self, ranges: tuple[DateRange, ...]) -> None:
        """Put date ranges into the playlists."""
        try:
            self.window.annotate(ranges)
        except WindowError as error:
            self._log.error("date ranges left out", error=str(error))
        self.edge.published()

    def put_down(self) -> None:
        """Leave the playlists open for a later server to go on with; no part comes any more."""
        self.window.close_segment()
        self.edge.published()

    def end(self) -> None:
        """End the playlists. Idempotent."""
        self.window.end()
        self.edge.published()

    def _open(self, carry: Sequences, before: Edge | None) -> None:
        broadcast = self._broadcast
        self._count += 1
        self.window = Window(
            f"{broadcast.session.lower()[-8:]}{carry.next_msn}r{self._count}",
            carry.next_msn,
            carry.discontinuity,
            broadcast.segments,
            broadcast.dvr_seconds,
            broadcast.archive,
            broadcast.scribe,
        )
        self.window.in_band = InBand() if broadcast.id3 else None
        self.edge = Edge(self.window, self._clock, before=before)

    def _away_ms(self) -> int:
        """For how long no server was there: only the wall clock can tell, within the grace."""
        if not self._newest_ms:
            return 0
        away_ms = self._clock.wall_ms() - self._newest_ms
        return max(0, min(away_ms, round(1000 * self._broadcast.grace) + LEEWAY_MS))

    def _recall(self, recalled: Recalled) -> None:
        try:
            self.window.recall(recalled)
        except WindowError as error:
            self._log.error("the list of before is not gone on with", error=str(error))
