"""Which sessions are being recorded: a tape for each, sealed when it ends. asyncio.

Nobody on the live path waits for what is here. What could not be sealed is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial

import structlog

from server.channel import Sequences, Session
from server.errors import VitrineError
from server.hls.playlist import DateRange
from server.hls.recall import Recalled
from server.instant import rfc3339
from server.record.catalogue import Entry
from server.record.errors import RecordError
from server.record.holdings import Holdings
from server.record.journal import Head
from server.record.kit import Kit
from server.record.left import recalled
from server.record.reel import Reel
from server.record.sealer import Ending, Sealer
from server.record.storage import DERIVED, JOURNAL, ROOT, home, is_step
from server.record.tape import Tape
from server.record.turn import in_turn

ROUND_SECONDS = 1.0
RECALL_SECONDS = 10.0
"""How long the start of a server waits for the disk to tell of a session that goes on."""
DEAF_SECONDS = 0.5
"""Instead, once the disk did not answer: it is one disk for all sessions."""
SEARCH_SECONDS = 60.0
"""For what the catalogue does not know; of a disk that is slower the next start asks again."""
LAST_SECONDS = 5.0
"""For what is left to seal when the server stops; the next one does the rest."""
ADVICE = (
    "The operator: make room on the disk, or a faster one; recording goes on by itself. What was"
    " left out is a gap in the replay."
)


class Recorder:
    """Makes tapes, and hears of sessions (`server.live.news.SessionListener`)."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._tapes: dict[str, Tape] = {}
        """By session."""
        self._noted: set[str] = set()
        """Sessions whose timeline changed since it was last kept."""
        self._sealer = Sealer(kit)
        self._troubled_since: dict[str, int] = {}
        """UTC ms, by session; noted within a round."""
        self._searching = False
        """The disk is still to be searched for what the catalogue does not know."""
        self._deaf = False
        """The disk did not answer the last time."""
        self._due = asyncio.Event()
        """There is something to seal."""
        self._rounds: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("record")

    def tape(self, channel: str, title: str, session: str) -> Tape:
        """Return the session's tape; one that is on disk already is gone on with."""
        tape = self._tapes.get(session)
        if tape is None:
            head = Head(channel, session, title, 0)
            kit = self._kit
            held = Holdings()
            reel = self._reel(head, held)
            tape = Tape(head, reel, kit.writer, kit.storage, kit.figures, held)
            self._tapes[session] = tape
        return tape

    async def recall(self, tape: Tape, carry: Sequences, dvr_seconds: int) -> Recalled | None:
        """Return the live list that a stopped server left of a tape's session, to go on with it.

        `carry`: where the channel goes on. None: nothing is left, or, as the log says, what is
        left does not fit.
        """

        def work() -> Recalled | None:
            left = tape.reel.left()
            found = recalled(left, carry, dvr_seconds) if left is not None else None
            if found is not None:
                tape.hold(found)
            return found

        seconds = DEAF_SECONDS if self._deaf else RECALL_SECONDS
        try:
            found = await in_turn(self._kit.writer, work, seconds)
        except (OSError, RecordError) as error:
            self._deaf = isinstance(error, TimeoutError)
            self._log.warning(
                "the live list begins anew", channel=tape.head.channel, session=tape.head.session,
                reason=str(error) or "the disk does not answer",
            )  # fmt: skip
            return None
        self._deaf = False
        return found

    def discard(self, session: str) -> None:
        """Let go of a tape whose session never began."""
        self._tapes.pop(session, None)

    def annotate(self, session: str, ranges: tuple[DateRange, ...]) -> None:
        """Note that the shop's timeline of a session changed; `ranges` are all of it."""
        tape = self._tapes.get(session)
        if tape is not None:
            tape.annotate(ranges)
            self._noted.add(session)

    def warnings(self, channel: str) -> tuple[Mapping[str, object], ...]:
        """Tell why the channel's broadcast is not recorded just now."""
        return tuple(
            {
                "code": "recording-interrupted",
                "severity": "warning",
                "message": f"The broadcast is not being recorded: {tape.trouble}.",
                "advice": ADVICE,
                "since": rfc3339(self._troubled_since.setdefault(session, self._now())),
            }
            for session, tape in self._tapes.items()
            if tape.head.channel == channel and tape.trouble
        )

    @property
    def troubled(self) -> int:
        """Sessions that are not recorded just now."""
        return sum(bool(tape.trouble) for tape in self._tapes.values())

    @property
    def count(self) -> int:
        return len(self._tapes)

    @property
    def unsealed(self) -> int:
        """Recordings that have ended and whose journal could not be ended yet."""
        return len(self._sealer)

    # Sessions

    async def session_started(self, channel: str, session: str, at_ms: int) -> None:
        tape = self._tapes.get(session)
        if tape is not None:
            entry = Entry(channel, session, tape.head.title, at_ms)
            await self._kit.catalogue.begin(entry)

    async def session_interrupted(self, channel: str, session: str, at_ms: int) -> None:
        """Nothing: the tape waits as the viewers do."""

    async def session_resumed(self, channel: str, session: str, at_ms: int) -> None:
        """Nothing: the new epoch goes onto the same tape."""

    async def session_ended(self, channel: str, session: str, at_ms: int) -> None:
        """Have the recording sealed. All parts have been told; the shop has closed its pins."""
        tape = self._tapes.pop(session, None)
        if tape is not None:
            self._noted.discard(session)
            self._sealer.add(Ending(tape.reel, tape.head, at_ms, tape.media_end_ms))
            self._due.set()

    async def recover(self, going_on: frozenset[str]) -> None:
        """Have sealed what a stopped server left, but for sessions `going_on`.

        Recordings on the disk that the catalogue does not know are entered, and pictures of removed
        ones removed, in a first round: no start waits for the disk.
        """
        for entry in await self._kit.catalogue.unfinished():
            if entry.session not in going_on:
                await self._end_left(entry)
        self._searching = True

    async def _end_left(self, entry: Entry) -> None:
        head = Head(entry.channel, entry.session, entry.title, entry.started_ms)
        ended_ms = await self._kit.chronicle.end_of(entry.channel, entry.session)
        self._sealer.add(Ending(self._reel(head, Holdings()), head, ended_ms))

    def start(self) -> None:
        self._rounds = asyncio.create_task(self._go_round(), name="recorder")

    async def close(self) -> None:
        """Write what waits and close the files; sessions that go on stay unsealed. Bounded."""
        if self._rounds is not None:
            self._rounds.cancel()
            await asyncio.gather(self._rounds, return_exceptions=True)
            self._rounds = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await self._sealer.seal(all_of_them=True)
        for tape in self._tapes.values():
            _ = self._kit.writer.offer(0, tape.reel.shut)
        if not await asyncio.to_thread(self._kit.writer.close):
            self._log.error("the disk did not take the last of the recordings")

    async def settle(self) -> None:
        """Do now what each round does."""
        troubled = {session for session, tape in self._tapes.items() if tape.trouble}
        for session in troubled ^ self._troubled_since.keys():
            if self._troubled_since.pop(session, None) is None:
                self._troubled_since[session] = self._now()
        for session in tuple(self._noted):
            self._noted.discard(session)
            tape = self._tapes.get(session)
            if tape is not None:
                await self._keep_timeline(tape)
        await self._sealer.seal()
        if self._searching:
            self._searching = False  # whatever comes of it; the next start searches again
            for channel, session in await self._strays(JOURNAL):
                await self._end_left(Entry(channel, session, channel, 0))
            self._due.set()
            # A server that stopped while pictures were made of what was just removed.
            for channel, session in await self._strays(DERIVED):
                await self._kit.storage.remove(f"{home(channel, session)}/{DERIVED}")

    async def _go_round(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ROUND_SECONDS):
                    await self._due.wait()
            self._due.clear()
            try:
                await self.settle()
            except (OSError, VitrineError, RecordError) as error:
                self._log.warning("recordings cannot be looked after", reason=str(error))
            except Exception:  # noqa: BLE001 - logged; one recording must not end all the others
                self._log.exception("looking after recordings failed")

    async def _keep_timeline(self, tape: Tape) -> None:
        entry = await self._kit.catalogue.get(tape.head.channel, tape.head.session)
        if entry is None:
            return
        session = Session(entry.session, entry.started_ms)
        told = await self._kit.chronicle.tell(entry.channel, session)
        if told is not None:
            _ = self._kit.writer.offer(
                len(told.document), partial(tape.reel.timeline, told.document)
            )

    async def _strays(self, name: str) -> list[tuple[str, str]]:
        """Find recordings that have `name` on the disk, and that the catalogue does not know.

        Raises StorageDown.
        """
        search = partial(self._kit.disk.holders, ROOT, name)
        homes = await self._kit.local.ask(search, SEARCH_SECONDS)
        found = []
        for each in homes:
            _, channel, session = each.split("/")
            known = session in self._tapes or session in self._sealer
            ours = is_step(channel) and is_step(session)
            if ours and not known and await self._kit.catalogue.get(channel, session) is None:
                found.append((channel, session))
        return found

    def _reel(self, head: Head, held: Holdings) -> Reel:
        kit, prefix = self._kit, home(head.channel, head.session)

        def whole(rendition: str, name: str) -> None:
            held.add(rendition, name)
            kit.whole(f"{prefix}/{rendition}/{name}")

        return Reel(head, kit.disk, kit.room.check, kit.clock.monotonic, kit.figures, whole)

    def _now(self) -> int:
        return self._kit.clock.wall_ms()
