"""Recordings are removed when their time is over, or on request; never while held. asyncio.

A removal is claimed in the catalogue first, so that a hold comes either before it or not at all;
one that a crash broke off is finished by the next sweep.
"""

from __future__ import annotations

import asyncio
import random

import structlog

from server.clock import Clock
from server.errors import Conflict, Unavailable, VitrineError
from server.record.catalogue import Entry
from server.record.errors import RecordError
from server.record.library import Library
from server.record.storage import home

SWEEP_SECONDS = 600.0
FIRST_SECONDS = 60.0
"""After a start, until the first sweep that removes by age: at most; at least three quarters."""
AT_ONCE = 50
"""Recordings removed in one sweep at most: a disk has other things to do."""
STEP_SECONDS = 60.0
"""By more than this wall clock and monotonic clock may not disagree between two sweeps."""
DAY_MS = 86_400_000


class Retention:
    """Removes recordings `days` after their end; 0: never by itself."""

    def __init__(self, library: Library, clock: Clock, days: float) -> None:
        self._library = library
        self._catalogue = library.catalogue
        self._clock = clock
        self._days = days
        self._before: tuple[int, float] | None = None
        """Wall (ms) and monotonic (s) clock at the sweep before."""
        self._sweeps: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("record")

    def start(self) -> None:
        self._sweeps = asyncio.create_task(self._go_round(), name="retention")

    async def close(self) -> None:
        if self._sweeps is not None:
            self._sweeps.cancel()
            await asyncio.gather(self._sweeps, return_exceptions=True)

    def expires_ms(self, entry: Entry) -> int | None:
        """Return when a recording will be removed by itself; None: never, as things are."""
        if not self._days or entry.ended_ms is None or entry.hold is not None:
            return None
        return entry.ended_ms + round(self._days * DAY_MS)

    async def remove(self, channel: str, session: str, actor: str, reason: str) -> int:
        """Remove a recording; return the bytes freed.

        Raises NotFound, Conflict `held` or `on-air`, Unavailable.
        """
        entry = await self._library.entry(channel, session)
        if not await self._catalogue.claim(channel, session):
            entry = await self._library.entry(channel, session)
            if entry.hold is not None:
                raise Conflict("held", f"It is on legal hold: {entry.hold.reason}.")
            raise Conflict("on-air", "The session is being recorded; end the broadcast first.")
        try:
            return await self._erase(entry, actor, reason)
        except RecordError as error:
            said = f"It will be removed when the storage answers again: {error}"
            raise Unavailable(said) from error

    async def sweep(self) -> int:
        """Remove what is due; return how many. After a step of the clock nothing is due.

        Raises Unavailable.
        """
        due_ms = 0
        if self._days and self._steady():
            due_ms = self._clock.wall_ms() - round(self._days * DAY_MS)
        removed = 0
        for entry in await self._catalogue.overdue(due_ms, AT_ONCE):
            if not await self._catalogue.claim(entry.channel, entry.session):
                continue  # held since
            try:
                again = "its removal had begun" if entry.removing else ""
                why = again or f"older than {self._days:g} days"
                freed = await self._erase(entry, "server", why)
                removed += 1
                self._log.info(
                    "recording removed",
                    channel=entry.channel, session=entry.session, bytes=freed, reason=why,
                )  # fmt: skip
            except RecordError as error:
                self._log.warning(
                    "a recording cannot be removed yet",
                    channel=entry.channel, session=entry.session, reason=str(error),
                )  # fmt: skip
        return removed

    def _steady(self) -> bool:
        """Tell whether the wall clock went as time did since the sweep before.

        A clock that was set wrong must not cost recordings: what is due is due at the next sweep
        too, when the clock has stood its test for that long. After a start that is less, for the
        network's time mends a machine's clock within its first seconds.
        """
        now = self._clock.wall_ms(), self._clock.monotonic()
        before, self._before = self._before, now
        if before is None:
            return False
        drift = (now[0] - before[0]) / 1000 - (now[1] - before[1])
        if abs(drift) > STEP_SECONDS:
            self._log.warning("the clock was set; no recording is removed now", seconds=drift)
            return False
        return True

    async def _erase(self, entry: Entry, actor: str, reason: str) -> int:
        """Remove what was claimed. Raises StorageDown, Unavailable."""
        channel, session = entry.channel, entry.session
        self._library.forget(channel, session)  # from now on nobody gets any of it
        freed = await self._library.storage.remove(home(channel, session))
        await self._catalogue.erase(channel, session, self._clock.wall_ms(), actor, reason)
        return freed

    async def _go_round(self) -> None:
        # Servers that start together, on one machine, do not sweep together.
        pause = random.uniform(0.75, 1.0) * FIRST_SECONDS
        while True:
            try:
                await self.sweep()
            except VitrineError as error:
                self._log.warning("recordings cannot be swept", reason=str(error))
            except Exception:  # noqa: BLE001 - logged; the next sweep may succeed
                self._log.exception("the sweep of recordings failed")
            await asyncio.sleep(pause)
            pause = SWEEP_SECONDS
