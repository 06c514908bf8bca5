"""Which sessions are being recorded: a tape for each, sealed when it ends. asyncio.

Nobody on the live path waits for what is here. What could not be sealed is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from server.channel import Session
from server.clock import Clock
from server.errors import VitrineError
from server.hls.playlist import DateRange
from server.record.catalogue import Catalogue, Entry
from server.record.chronicle import Chronicle, Told, bare, ended
from server.record.disk import Disk
from server.record.errors import RecordError
from server.record.figures import Figures
from server.record.journal import End, Head
from server.record.reel import Recorded, Reel
from server.record.room import Room
from server.record.storage import ROOT, TIMELINE, Storage, home
from server.record.tape import Tape
from server.record.writer import Writer

ROUND_SECONDS = 1.0
AGAIN_SECONDS = 15.0
"""Before a recording that could not be sealed is tried again."""
SEAL_SECONDS = 60.0
"""How long one may take."""
LAST_SECONDS = 5.0
"""For what is left to seal when the server stops; the next one does the rest."""
ADVICE = (
    "The operator: make room on the disk, or a faster one; recording goes on by itself. What was"
    " left out is a gap in the replay."
)


@dataclass(frozen=True, slots=True)
class Kit:
    """What recordings are written with."""

    writer: Writer
    disk: Disk
    room: Room
    storage: Storage
    catalogue: Catalogue
    chronicle: Chronicle
    clock: Clock
    figures: Figures
    whole: Callable[[str], None] = lambda _key: None
    """Told the key of all that is whole, from the writer's thread."""
    sealed: Callable[[], None] = lambda: None
    """Told that a recording has ended."""


@dataclass(slots=True)
class _Ending:
    reel: Reel
    head: Head
    ended_ms: int | None
    media_end_ms: int | None
    again_at: float = 0.0
    complained: bool = False


class Recorder:
    """Makes tapes, and hears of sessions (`server.live.news.SessionListener`)."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._tapes: dict[str, Tape] = {}
        """By session."""
        self._noted: set[str] = set()
        """Sessions whose timeline changed since it was last kept."""
        self._endings: dict[str, _Ending] = {}
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
            held: set[tuple[str, str]] = set()
            reel = self._reel(head, held)
            tape = Tape(head, reel, kit.writer, kit.storage, kit.figures, held)
            self._tapes[session] = tape
        return tape

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
        reasons = [t.trouble for t in self._tapes.values() if t.head.channel == channel]
        return tuple(
            {
                "code": "recording-interrupted",
                "severity": "warning",
                "message": f"The broadcast is not being recorded: {reason}.",
                "advice": ADVICE,
            }
            for reason in reasons
            if reason
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
        return len(self._endings)

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
            self._endings[session] = _Ending(tape.reel, tape.head, at_ms, tape.media_end_ms)
            self._due.set()

    async def recover(self, going_on: frozenset[str]) -> None:
        """Have sealed what a stopped server left, but for sessions `going_on`.

        Recordings on the disk that the catalogue does not know are entered.
        """
        entries = {entry.session: entry for entry in await self._kit.catalogue.unfinished()}
        for channel, session in await self._strays():
            entries.setdefault(session, Entry(channel, session, channel, 0))
        for session, entry in entries.items():
            if session not in going_on:
                head = Head(entry.channel, session, entry.title, entry.started_ms)
                ended_ms = await self._kit.chronicle.end_of(entry.channel, session)
                self._endings[session] = _Ending(self._reel(head, set()), head, ended_ms, None)

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
                for ending in list(self._endings.values()):
                    await self._seal(ending)
        for tape in self._tapes.values():
            _ = self._kit.writer.offer(0, tape.reel.shut)
        if not await asyncio.to_thread(self._kit.writer.close):
            self._log.error("the disk did not take the last of the recordings")

    async def settle(self) -> None:
        """Do now what each round does."""
        for session in tuple(self._noted):
            self._noted.discard(session)
            tape = self._tapes.get(session)
            if tape is not None:
                await self._keep_timeline(tape)
        now = self._kit.clock.monotonic()
        for ending in [each for each in self._endings.values() if each.again_at <= now]:
            await self._seal(ending)

    async def _go_round(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ROUND_SECONDS):
                    await self._due.wait()
            self._due.clear()
            try:
                await self.settle()
            except (VitrineError, RecordError) as error:
                self._log.warning("recordings cannot be looked after", reason=str(error))

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

    async def _seal(self, ending: _Ending) -> None:
        head = ending.head
        try:
            recorded = await self._sealed(ending)
            if recorded is None:
                await self._kit.catalogue.erase(
                    head.channel, head.session, self._now(), "server", "nothing was recorded"
                )
            else:
                await self._enter(recorded)
        except (OSError, TimeoutError, VitrineError, RecordError) as error:
            ending.again_at = self._kit.clock.monotonic() + AGAIN_SECONDS
            if not ending.complained:
                ending.complained = True
                self._log.error(
                    "a recording cannot be ended yet; trying again",
                    channel=head.channel, session=head.session, reason=str(error) or "no answer",
                )  # fmt: skip
            return
        self._endings.pop(head.session, None)
        self._kit.sealed()

    async def _sealed(self, ending: _Ending) -> Recorded | None:
        """Have the thread end the journal. Raises OSError, TimeoutError, Unavailable."""
        told = await self._told(ending)
        end = None if ending.ended_ms is None else End(ending.ended_ms, ending.media_end_ms)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Recorded | None] = loop.create_future()

        def work() -> None:
            try:
                found = ending.reel.seal(end, told.ranges if told else None)
                if told is not None and found is not None:
                    ending.reel.timeline(told.document)
                tell(partial(_settle, done, found))
            except (OSError, RecordError) as error:
                tell(partial(_fail, done, error))

        def tell(call: Callable[[], None]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(call)

        if not self._kit.writer.offer(0, work):
            raise TimeoutError("too much waits to be written")
        async with asyncio.timeout(SEAL_SECONDS):
            return await done

    async def _told(self, ending: _Ending) -> Told | None:
        """Tell the timeline as it ended; of a removed channel what was kept of it."""
        head, kit = ending.head, self._kit
        entry = await kit.catalogue.get(head.channel, head.session)
        started_ms = entry.started_ms if entry else head.started_ms
        session = Session(head.session, started_ms, ending.ended_ms)
        return await kit.chronicle.tell(head.channel, session)

    async def _enter(self, recorded: Recorded) -> None:
        recording = recorded.recording
        await self._close_timeline(recorded)
        entry = Entry(
            channel=recording.channel,
            session=recording.session,
            title=recording.title,
            started_ms=recording.started_ms,
            ended_ms=recording.ended_ms,
            duration_ms=recording.duration_ms,
            size=recorded.size,
            gaps=recording.gaps,
        )
        await self._kit.catalogue.begin(entry)
        await self._kit.catalogue.finish(entry, self._now())
        self._log.info(
            "recorded",
            channel=entry.channel, session=entry.session, bytes=entry.size,
            seconds=entry.duration_ms // 1000, gaps=entry.gaps,
        )  # fmt: skip

    async def _close_timeline(self, recorded: Recorded) -> None:
        """See to it that the timeline beside a recording has its end, whoever wrote it."""
        recording = recorded.recording
        key = f"{home(recording.channel, recording.session)}/{TIMELINE}"
        try:
            document = await self._kit.storage.read(key)
        except RecordError:
            document = bare(recording.session, recording.started_ms)
        try:
            whole = ended(document, recording.ended_ms or recording.started_ms)
        except ValueError:
            fresh = bare(recording.session, recording.started_ms)
            whole = ended(fresh, recording.ended_ms or recording.started_ms)
        if whole != document:
            await self._kit.storage.write(key, whole)

    async def _strays(self) -> list[tuple[str, str]]:
        """Find recordings on the disk that the catalogue does not know."""
        homes = await asyncio.to_thread(self._kit.disk.homes, ROOT)
        found = []
        for each in homes:
            _, channel, session = each.split("/")
            if await self._kit.catalogue.get(channel, session) is None:
                found.append((channel, session))
        return found

    def _reel(self, head: Head, held: set[tuple[str, str]]) -> Reel:
        kit, prefix = self._kit, home(head.channel, head.session)

        def whole(rendition: str, name: str) -> None:
            held.add((rendition, name))
            kit.whole(f"{prefix}/{rendition}/{name}")

        return Reel(head, kit.disk, kit.room.check, kit.clock.monotonic, kit.figures, whole)

    def _now(self) -> int:
        return self._kit.clock.wall_ms()


def _settle(done: asyncio.Future[Recorded | None], found: Recorded | None) -> None:
    if not done.done():
        done.set_result(found)


def _fail(done: asyncio.Future[Recorded | None], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
