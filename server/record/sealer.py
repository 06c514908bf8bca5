"""Recordings that have ended and are still to be sealed: tried until it is done. asyncio."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from server.channel import Session
from server.errors import VitrineError
from server.record.catalogue import Entry
from server.record.chronicle import Told, bare, ended
from server.record.errors import RecordError, StorageDown
from server.record.journal import End, Head
from server.record.kit import Kit
from server.record.reel import Recorded, Reel
from server.record.storage import TIMELINE, home
from server.record.turn import in_turn

AGAIN_SECONDS = 15.0
"""Before a recording that could not be sealed is tried again."""
NOTHING = "nothing was recorded"
SEAL_SECONDS = 60.0
"""How long one may take."""


@dataclass(slots=True)
class Ending:
    """A recording that has ended."""

    reel: Reel
    head: Head
    ended_ms: int | None
    """None: where its media ends."""
    media_end_ms: int | None = None
    """Of what was told of it, recorded or not; None: not known."""
    again_at: float = 0.0
    complained: bool = False


class Sealer:
    """The recordings that have ended, by session, until each is sealed."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._endings: dict[str, Ending] = {}
        self._log = structlog.get_logger("record")

    def __len__(self) -> int:
        return len(self._endings)

    def __contains__(self, session: str) -> bool:
        return session in self._endings

    def add(self, ending: Ending) -> None:
        self._endings[ending.head.session] = ending

    async def seal(self, *, all_of_them: bool = False) -> None:
        """Seal what is due."""
        now = self._kit.clock.monotonic()
        for ending in list(self._endings.values()):
            if all_of_them or ending.again_at <= now:
                await self._seal(ending)

    async def _seal(self, ending: Ending) -> None:
        head = ending.head
        try:
            recorded = await self._sealed(ending)
            if recorded is None:
                await self._forget(head)
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

    async def _forget(self, head: Head) -> None:
        """Let go of a session of which nothing was recorded, unless it is held.

        Then its journal is missing: perhaps the disk is not there. Raises StorageDown, Unavailable.
        """
        catalogue, at_ms = self._kit.catalogue, self._now()
        if not await catalogue.erase(head.channel, head.session, at_ms, "server", NOTHING):
            raise StorageDown("It is on legal hold, and nothing of it is on the disk.")

    async def _sealed(self, ending: Ending) -> Recorded | None:
        """Have the thread end the journal. Raises OSError, TimeoutError, Unavailable."""
        told = await self._told(ending)
        end = None if ending.ended_ms is None else End(ending.ended_ms, ending.media_end_ms)

        def work() -> Recorded | None:
            found = ending.reel.seal(end, told.ranges if told else None)
            if told is not None and found is not None:
                ending.reel.timeline(told.document)
            return found

        return await in_turn(self._kit.writer, work, SEAL_SECONDS)

    async def _told(self, ending: Ending) -> Told | None:
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

    def _now(self) -> int:
        return self._kit.clock.wall_ms()
