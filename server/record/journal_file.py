"""The journal and its tail on the disk: settled after a crash, gone on with, ended. Synchronous."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import replace

from server.hls.playlist import DateRange
from server.record.disk import Disk, Handle
from server.record.errors import BadJournal
from server.record.journal import End, Head, Ledger, Note, Place, line, read
from server.record.recording import Kept
from server.record.storage import JOURNAL, TAIL

TAIL_BYTES = 65_536
"""At this length the tail is begun anew, with what is still growing."""


class JournalFile:
    """One recording's journal, below `home`. Calls raise OSError."""

    def __init__(self, disk: Disk, home: str) -> None:
        self._disk = disk
        self._home = home
        self._journal: Handle | None = None
        self._tail: Handle | None = None

    @property
    def opened(self) -> bool:
        return self._journal is not None

    def exists(self) -> bool:
        """Tell whether there is a journal, empty or not."""
        return f"{self._home}/{JOURNAL}" in self._disk.sizes(self._home)

    def open(self, head: Head) -> Ledger:
        """Open it, begun with `head` where there is none; return what it says."""
        self.close()
        ledger = self.settled()
        if ledger.end is not None:
            # It was sealed, and its session, as the store has it, goes on after all.
            ledger.end = None
            self._disk.replace(f"{self._home}/{JOURNAL}", b"".join(ledger.lines()))
        journal = self._disk.grow(f"{self._home}/{JOURNAL}")
        try:
            if ledger.head is None:
                journal.cut(0)
                journal.append(line(head))
            self._tail = self._disk.grow(f"{self._home}/{TAIL}", anew=True)
        except OSError:
            journal.close()
            raise
        self._journal = journal
        return ledger

    def note(self, note: Note) -> None:
        if self._journal is None:
            raise OSError(errno.EBADF, "the journal is closed")
        self._journal.append(line(note))

    def note_part(self, text: bytes, growing: Iterable[bytes]) -> None:
        """Append a part's line; `growing` are the lines of all that still grows."""
        if self._tail is None:
            raise OSError(errno.EBADF, "the journal is closed")
        if self._tail.size > TAIL_BYTES:
            # In one step: a crash must find the one or the other.
            key = f"{self._home}/{TAIL}"
            self._disk.replace(key, b"".join(growing))
            before, self._tail = self._tail, self._disk.grow(key)
            before.close()
        self._tail.append(text)

    def sync(self) -> None:
        """Have the journal survive a loss of power."""
        if self._journal is not None:
            self._journal.sync()

    def close(self) -> None:
        for handle in (self._journal, self._tail):
            if handle is not None:
                handle.close()
        self._journal = self._tail = None

    def end(self, ledger: Ledger, end: End | None, ranges: tuple[DateRange, ...]) -> None:
        """Write the end, in one go, and have it survive a loss of power. The file is closed."""
        last_ms = max(one.slot.end_ms for one in ledger.kept.values())
        if end is None:
            end = End(last_ms, None)
        # A session that nobody came back to after a restart may be told to end where it began.
        end = replace(end, ended_ms=max(end.ended_ms, last_ms))
        told: tuple[Note, ...] = (*ranges, end)
        for note in told:
            ledger.take(note)
        handle = self._disk.grow(f"{self._home}/{JOURNAL}")
        try:
            handle.append(b"".join(map(line, told)))
            handle.sync()
        finally:
            handle.close()

    def settled(self) -> Ledger:
        """Read what is there, as far as its files bear it out, and have the journal say so."""
        key = f"{self._home}/{JOURNAL}"
        ledger = self._read()
        if ledger.end is not None or ledger.head is None:
            return ledger
        sizes = self._disk.sizes(self._home)
        names = {place: one.slot.name for place, one in (ledger.kept | ledger.growing).items()}
        found: dict[Place, int] = {
            place: sizes.get(f"{self._home}/{place[0]}/{name}", 0) for place, name in names.items()
        }
        for place, one in ledger.growing.items():
            if found[place] > one.size:
                self._cut(place[0], one)
        grown, lost = ledger.settle(found)
        if lost:
            self._disk.replace(key, b"".join(ledger.lines()))
            return ledger
        handle = self._disk.grow(key)
        try:
            if handle.size > ledger.good:
                handle.cut(ledger.good)
            handle.append(b"".join(map(line, grown)))
            handle.sync()  # before the tail, which told of them, is begun anew
        finally:
            handle.close()
        return ledger

    def _read(self) -> Ledger:
        """Read journal and tail; empty where there is none."""
        try:
            data = self._disk.read(f"{self._home}/{JOURNAL}")
        except FileNotFoundError:
            return Ledger()
        try:
            tail = self._disk.read(f"{self._home}/{TAIL}")
        except FileNotFoundError:
            tail = b""
        try:
            return read(data, tail)
        except BadJournal as error:
            raise OSError(errno.EIO, str(error)) from error

    def _cut(self, rendition: str, one: Kept) -> None:
        """Cut the half-written part behind what the journal knows."""
        handle = self._disk.grow(f"{self._home}/{rendition}/{one.slot.name}")
        try:
            handle.cut(one.size)
            handle.sync()
        finally:
            handle.close()
