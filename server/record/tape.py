"""One session as it is recorded, on the event loop's side: told by the window, asked by it.

Nothing here touches a disk. What the writer's queue refuses is left out, segment by segment.
"""

from __future__ import annotations

from functools import partial

import structlog

from ingest.unit import TICKS_PER_MS
from server.hls.playlist import DateRange, PartTag, Segment
from server.hls.recall import Recalled
from server.hls.targets import Targets
from server.record.disk_threads import DiskThreads
from server.record.errors import Missing, StorageDown
from server.record.figures import Figures
from server.record.holdings import Holdings
from server.record.journal import Head
from server.record.recording import Listed, RecordedTrack, Slot
from server.record.reel import Planned, Reel
from server.record.storage import Storage, home
from transcode.part import Track

TOO_SLOW = "the disk does not keep up"


class Tape:
    """The Scribe and the Archive (`server.hls.archive`) of one session."""

    def __init__(
        self,
        head: Head,
        reel: Reel,
        writer: DiskThreads,
        storage: Storage,
        figures: Figures,
        held: Holdings,
    ) -> None:
        """`held`: what is on disk; the writer's thread adds to it."""
        self.head = head
        self.media_end_ms: int | None = None
        """PDT of the end of the newest part, recorded or not."""
        self.reel = reel
        self._held = held
        self._writer = writer
        self._storage = storage
        self._figures = figures
        self._targets: Targets | None = None
        self._tracks: dict[str, tuple[RecordedTrack, bytes]] = {}
        self._epoch: Planned | None = None
        self._broken: dict[str, int] = {}
        """By rendition: the msn that parts were left out of."""
        self._ranges: dict[str, DateRange] = {}
        self._choked = False
        self._log = structlog.get_logger("record").bind(channel=head.channel, session=head.session)

    # Scribe

    def announced(self, targets: Targets) -> None:
        self._targets = targets

    def begun(self, rendition: str, map_uri: str, track: Track) -> None:
        """Note a rendition of the epoch that begins now."""
        if self._epoch is not None or rendition in self._tracks:
            self._epoch = None
            self._tracks = {}
        recorded = RecordedTrack(
            name=rendition,
            codecs=track.codecs,
            bandwidth=track.bandwidth,
            width=track.width,
            height=track.height,
            frame_rate=track.frame_rate,
            init=map_uri,
        )
        self._tracks[rendition] = (recorded, track.init)

    def added(self, rendition: str, segment: Segment, part: PartTag, data: bytes) -> None:
        """Have a part written, if there is room in the queue."""
        if self._epoch is None:
            tracks = tuple(self._tracks.values())
            self._epoch = Planned(segment.pdt_ms, self.media_end_ms, tracks, self._targets)
        end_ms = segment.pdt_ms + (segment.duration + TICKS_PER_MS // 2) // TICKS_PER_MS
        self.media_end_ms = max(end_ms, self.media_end_ms or end_ms)
        if self._broken.get(rendition) == segment.msn:
            return
        index = segment.part_count - 1
        slot = _slot(segment, None if index else 0)
        write = partial(self.reel.part, self._epoch, rendition, slot, index, part.duration, data)
        if self._writer.offer(len(data), write):
            self._choked = False
            return
        self._broken[rendition] = segment.msn
        self._figures.refused_parts += 1
        _ = self._writer.offer(0, partial(self.reel.lose, rendition, segment.msn, TOO_SLOW))
        if not self._choked:
            self._choked = True
            self._log.error("not recorded; the broadcast goes on", reason=TOO_SLOW)

    def closed(self, rendition: str, segment: Segment, first_msn: int) -> None:
        """Have a whole segment finished."""
        slot = _slot(segment, first_msn)
        if segment.gap:
            _ = self._writer.offer(0, partial(self.reel.lapse, rendition, slot))
        elif self._broken.get(rendition) != segment.msn:
            _ = self._writer.offer(0, partial(self.reel.close, rendition, slot, segment.size))

    # Archive

    def holds(self, rendition: str, name: str) -> bool:
        return (rendition, name) in self._held

    def hold(self, recalled: Recalled) -> None:
        """Know what a stopped server left on disk."""
        for name, each in recalled.renditions.items():
            for segment in each.segments:
                if not segment.gap:
                    self._held.add(name, segment.uri)

    async def read(self, rendition: str, name: str) -> bytes | None:
        if not self.holds(rendition, name):
            return None
        try:
            key = f"{home(self.head.channel, self.head.session)}/{rendition}/{name}"
            return await self._storage.read(key)
        except Missing:
            self._held.lose(rendition, name)
            return None
        except StorageDown as error:
            raise OSError(str(error)) from error

    # The shop's

    def annotate(self, ranges: tuple[DateRange, ...]) -> None:
        """Note the session's date ranges, all of them."""
        fresh = tuple(each for each in ranges if self._ranges.get(each.id) != each)
        if fresh and self._writer.offer(0, partial(self.reel.ranges, fresh)):
            self._ranges |= {each.id: each for each in fresh}

    @property
    def trouble(self) -> str:
        """Why it is not recorded just now; empty while it is."""
        return TOO_SLOW if self._choked else self._figures.troubles.get(self.head.session, "")


def _slot(segment: Segment, first_msn: int | None) -> Slot:
    """Where a segment lies; the reel knows its epoch's number.

    `first_msn`: where the list begins, 0 while that is not known; None: how it is listed is told.
    """
    listed = None
    if first_msn is not None:
        listed = Listed(segment.discontinuity_number, segment.discontinuity, first_msn)
    return Slot(-1, segment.msn, segment.uri, segment.pdt_ms, segment.duration, listed)
