"""The files of one recording while it is written. Synchronous: runs in the writer's thread.

Bytes come first, the journal's line behind them, so that a line never speaks of what is not there.
What fails is one segment of one rendition: its file is removed, the next one is tried anew.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import structlog

from server.hls.playlist import DateRange
from server.hls.targets import Targets
from server.record.disk import Disk, Handle
from server.record.figures import Figures
from server.record.journal import End, Head, Lapse, Ledger, PartNote, line
from server.record.journal_file import JournalFile
from server.record.left import Left
from server.record.recording import Kept, RecordedEpoch, RecordedTrack, Recording, Slot
from server.record.storage import TAIL, TIMELINE, home

MOST_UNSYNCED = 8
"""Files that are kept open to be flushed: each is a descriptor, for each channel on the air."""
SYNC_SECONDS = 5.0
"""Between two flushes to the medium: what a loss of power, unlike a crash, may cost."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An epoch as it was announced; it is written down with its first segment."""

    pdt_ms: int
    media_before_ms: int | None
    tracks: tuple[tuple[RecordedTrack, bytes], ...]
    """With their initialization sections."""
    targets: Targets | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a reel tells of a recording that is sealed."""

    recording: Recording
    size: int
    """Bytes on disk."""


@dataclass(slots=True)
class _Growing:
    handle: Handle
    slot: Slot
    lines: list[bytes] = field(default_factory=list)
    """Of its parts, in the tail."""


class Reel:
    """Writes one session. `room` raises OSError where there is none for another segment."""

    def __init__(
        self,
        head: Head,
        disk: Disk,
        room: Callable[[], None],
        monotonic: Callable[[], float],
        figures: Figures,
        whole: Callable[[str, str], None] = lambda _rendition, _name: None,
    ) -> None:
        """`whole` is told every segment and initialization section that is on disk."""
        self._head = head
        self._home = home(head.channel, head.session)
        self._disk = disk
        self._room = room
        self._monotonic = monotonic
        self._figures = figures
        self._whole = whole
        self._journal = JournalFile(disk, self._home)
        self._number = -1
        self._epoch: Planned | None = None
        self._open: dict[str, _Growing] = {}
        self._failed: dict[str, int] = {}
        """By rendition: the msn that was given up."""
        self._ranges: dict[str, DateRange] = {}
        """Not yet written down."""
        self._unsynced: list[Handle] = []
        self._synced_at = monotonic()
        self._lost = 0
        self._log = structlog.get_logger("record").bind(channel=head.channel, session=head.session)

    def part(
        self, epoch: Planned, rendition: str, slot: Slot, index: int, duration: int, data: bytes
    ) -> None:
        """Append a part. `slot` is its segment's; `index` counts from 0 in the segment."""
        if self._failed.get(rendition) == slot.msn:
            return
        try:
            self._append(epoch, rendition, slot, index, duration, data)
        except OSError as error:
            self._give_up(rendition, slot.msn, error)

    def close(self, rendition: str, slot: Slot, size: int) -> None:
        """Finish a segment of `size` bytes, all of whose parts were offered."""
        growing = self._open.get(rendition)
        if growing is None or growing.slot.msn != slot.msn:
            return
        try:
            if growing.handle.size != size:
                raise OSError(errno.EIO, "parts of a segment are missing")
            slot = replace(slot, epoch=growing.slot.epoch)
            self._journal.note(Kept(rendition, slot, size))
        except OSError as error:
            self._give_up(rendition, slot.msn, error)
            return
        del self._open[rendition]
        self._unsynced.append(growing.handle)
        self._figures.segments += 1
        self._whole(rendition, slot.name)
        self._failed.pop(rendition, None)
        self._recovered()
        self._sync()

    def lapse(self, rendition: str, slot: Slot) -> None:
        """Write down that the live playlist has a gap, once there is media."""
        if self._journal.opened:
            with contextlib.suppress(OSError):
                self._journal.note(Lapse(rendition, replace(slot, epoch=self._number)))

    def left(self) -> Left | None:
        """Go on with what a stopped server left, and tell of it; None: nothing. Raises OSError."""
        if not self._journal.settled().kept:
            return None
        ledger = self._open_journal(self._head)
        tracks = {(each.name, each.init) for epoch in ledger.epochs for each in epoch.tracks}
        inits = {
            (name, init): self._disk.read(f"{self._home}/{name}/{init}") for name, init in tracks
        }
        return Left(ledger, inits)

    def lose(self, rendition: str, msn: int, reason: str) -> None:
        """Give up a segment that parts were left out of; whoever did that has told of it."""
        self._figures.troubles.setdefault(self._head.session, reason)
        self._give_up(rendition, msn, OSError(errno.EBUSY, reason))

    def ranges(self, ranges: tuple[DateRange, ...]) -> None:
        """Write date ranges down, or their ends, as soon as there is media."""
        self._ranges |= {each.id: each for each in ranges}
        if self._journal.opened:
            with contextlib.suppress(OSError):
                self._note_ranges()

    def _note_ranges(self) -> None:
        for name in tuple(self._ranges):
            self._journal.note(self._ranges[name])
            del self._ranges[name]

    def timeline(self, document: bytes) -> None:
        """Put the timeline's document beside the journal. An older one stays if that fails."""
        with contextlib.suppress(OSError):
            self._disk.replace(f"{self._home}/{TIMELINE}", document)

    def seal(self, end: End | None, ranges: tuple[DateRange, ...] | None) -> Recorded | None:
        """End the recording. None: nothing was recorded.

        `end` None: where its media ends. `ranges`: all of the session's; None: what the journal
        has. Raises OSError; then it may be tried again. One that has its end keeps it.
        """
        self.shut()
        ledger = self._journal.settled()
        self._figures.troubles.pop(self._head.session, None)
        if ledger.head is None or not ledger.kept:
            if self._journal.exists():
                self._disk.remove(self._home)
            return None
        if ledger.end is None:
            self._journal.end(ledger, end, ranges or ())
        self._disk.remove(f"{self._home}/{TAIL}")
        return Recorded(ledger.recording(), sum(self._disk.sizes(self._home).values()))

    def shut(self) -> None:
        """Close the files; growing segments stay as far as they are."""
        self._unsynced += [growing.handle for growing in self._open.values()]
        self._open.clear()
        self._sync(now=True)
        with contextlib.suppress(OSError):
            self._journal.close()

    def _append(
        self, epoch: Planned, rendition: str, slot: Slot, index: int, duration: int, data: bytes
    ) -> None:
        growing = self._open.get(rendition)
        if growing is None or growing.slot.msn != slot.msn:
            if growing is not None:
                self._give_up(rendition, growing.slot.msn, OSError(errno.EIO, "it was not ended"))
            if index:
                raise OSError(errno.EIO, "its first part is missing")
            growing = self._begin(epoch, rendition, slot)
        growing.handle.append(data)
        part = replace(slot, epoch=growing.slot.epoch, duration=duration)
        text = line(PartNote(rendition, part, len(data)))
        self._journal.note_part(text, (old for each in self._open.values() for old in each.lines))
        growing.lines.append(text)
        self._figures.written_bytes += len(data)

    def _begin(self, epoch: Planned, rendition: str, slot: Slot) -> _Growing:
        self._room()
        if epoch is not self._epoch:
            self._write_epoch(epoch)
            self._failed.clear()
        handle = self._disk.grow(f"{self._home}/{rendition}/{slot.name}", anew=True)
        slot = replace(slot, epoch=self._number, duration=0)
        growing = self._open[rendition] = _Growing(handle, slot)
        return growing

    def _write_epoch(self, epoch: Planned) -> None:
        if not self._journal.opened:
            _ = self._open_journal(replace(self._head, started_ms=epoch.pdt_ms))
        for track, init in epoch.tracks:
            self._disk.replace(f"{self._home}/{track.name}/{track.init}", init)
        tracks = tuple(track for track, _ in epoch.tracks)
        number = self._number + 1
        self._journal.note(
            RecordedEpoch(number, epoch.pdt_ms, tracks, epoch.media_before_ms, epoch.targets)
        )
        self._number, self._epoch = number, epoch
        for track, _ in epoch.tracks:
            self._whole(track.name, track.init)

    def _open_journal(self, head: Head) -> Ledger:
        ledger = self._journal.open(head)
        self._number = len(ledger.epochs) - 1
        self._note_ranges()
        return ledger

    def _give_up(self, rendition: str, msn: int, error: OSError) -> None:
        if self._failed.get(rendition) == msn:
            return
        self._failed[rendition] = msn
        self._figures.lost_segments += 1
        self._lost += 1
        growing = self._open.pop(rendition, None)
        if growing is not None:
            with contextlib.suppress(OSError):
                growing.handle.close()
                self._disk.remove(f"{self._home}/{rendition}/{growing.slot.name}")
        reason = error.strerror or str(error)
        if self._head.session not in self._figures.troubles:
            self._log.error("not recorded; the broadcast goes on", reason=reason)
        self._figures.troubles[self._head.session] = reason

    def _recovered(self) -> None:
        if self._failed or self._figures.troubles.pop(self._head.session, None) is None:
            return
        self._log.warning("recorded again", lost_segments=self._lost)
        self._lost = 0

    def _sync(self, *, now: bool = False) -> None:
        """Have whole segments, then the journal that names them, survive a loss of power."""
        moment = self._monotonic()
        early = moment - self._synced_at < SYNC_SECONDS and len(self._unsynced) < MOST_UNSYNCED
        if early and not now:
            return
        self._synced_at = moment
        while self._unsynced:
            handle = self._unsynced.pop()
            with self._telling():
                try:
                    handle.sync()
                finally:
                    handle.close()
        with self._telling():
            self._journal.sync()

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._log.error("a recording may not survive a loss of power", reason=str(error))
