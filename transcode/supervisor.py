"""Keeps one worker process alive for one live channel.

asyncio. Starts the worker, feeds it, restarts it with back-off when it dies or
stops answering, and keeps the last lines that a dead one said.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from ingest.unit import AudioUnit, Unit, VideoUnit
from overlay.scene import Scene
from transcode import wire
from transcode.backlog import Backlog
from transcode.briefing import Briefing
from transcode.debt import Debt
from transcode.errors import WireError
from transcode.process import WorkerProcess

LOG_LINES = 100
MOST_SOUNDS = 2
"""Frames of sound that wait for a picture: there are three to two pictures, 47 to 30 a second."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, how much and how often. Seconds and bytes."""

    silence: float = 10.0
    """A report is due, but nothing is heard for so long: the worker is stuck and is killed."""
    close: float = 4.0
    """To encode what is held at the end."""
    backoff_first: float = 0.25
    backoff_most: float = 10.0
    steady: float = 30.0
    """A worker that lived so long starts the back-off anew."""
    unread_ms: int = 2_000
    """How old units may get that wait for a worker that falls behind; then pictures are dropped."""
    unread_bytes: int = 8 << 20
    """How much may wait, however young."""


class Supervisor:
    """One channel's worker, as long as its broadcast lasts."""

    def __init__(
        self,
        channel: str,
        settings: Callable[[], wire.Open],
        receive: Callable[[wire.Up], None],
        patience: Patience | None = None,
    ) -> None:
        """`settings` is asked at each start of a worker; `receive` runs on the event loop."""
        self._settings = settings
        self._receive = receive
        self._patience = patience or Patience()
        self._log = structlog.get_logger("worker").bind(channel=channel)
        self._process: WorkerProcess | None = None
        self._decoder = wire.Decoder()
        self._briefing = Briefing()
        self._keyed = False
        self._arrived_ms = 0
        self._backlog = Backlog()
        self._waiting: list[bytes] = []
        self._sounds = 0
        """Frames of sound in `_waiting`."""
        self._debt = Debt()
        self._closing = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self.restarts = 0
        self.dropped = 0
        self.last_words: deque[str] = deque(maxlen=LOG_LINES)
        """What the worker, or the one before it, wrote to its standard error."""

    async def start(self) -> None:
        """Start the worker and watch over it until `close`. Raises OSError."""
        await self._spawn()
        self._runner = asyncio.create_task(self._run(), name="worker-supervisor")

    @property
    def started(self) -> bool:
        """Whether `start` was called, whatever became of the worker since."""
        return self._runner is not None

    @property
    def pid(self) -> int | None:
        """The worker's process id while one runs."""
        return self._process.pid if self._process else None

    def feed(self, units: Sequence[Unit], arrived_ms: int) -> None:
        """Hand units to the worker. Never blocks; drops to the next key picture when it must.

        Sound goes along with the picture after it, some 20 ms later: most of what a publisher
        costs is the writing to the pipe.
        """
        self._arrived_ms = arrived_ms
        self._debt.fed(arrived_ms, time.monotonic())
        only_sound = True
        for unit in units:
            if isinstance(unit, VideoUnit):
                if not self._takes(unit):
                    continue
                only_sound = False
            elif isinstance(unit, AudioUnit):
                if self._held() > self._patience.unread_bytes:
                    continue
                self._sounds += 1
            else:
                self._briefing.opening(unit)
                only_sound = False
            self._waiting += wire.feed_pieces(unit, arrived_ms)
        if not only_sound or self._sounds > MOST_SOUNDS:
            self._write()

    def _takes(self, picture: VideoUnit) -> bool:
        """Tell whether a picture goes to the worker; from one that does not, to the next key."""
        if not self._keyed:
            self._keyed = picture.keyframe and not self._behind(2)
            self.dropped += not self._keyed
        elif self._behind():
            self._keyed = False
            self.dropped += 1
            self._log.warning("worker falls behind: pictures dropped", dropped=self.dropped)
        return self._keyed

    def show(self, scene: Scene, at_ms: int) -> None:
        """Have the worker put `scene` on screen from `at_ms` (PDT axis) on."""
        self._briefing.show(scene, at_ms)
        self._send(wire.Show(scene, at_ms))

    def drawn(self, scene_id: str) -> None:
        """Note that a scene is on screen, so that a new worker begins with it."""
        self._briefing.drawn(scene_id)

    def splice(self) -> None:
        """Tell the worker that another publisher's units follow."""
        self._briefing.splice()
        self._forget_publisher()
        self._send(wire.Splice())

    def interrupt(self, told: wire.Interrupt) -> None:
        """Tell the worker, and each that replaces it, that there is no publisher until `resume`."""
        self._briefing.interrupt(told)
        self._forget_publisher()
        self._send(told)

    def tick(self, now_ms: int) -> None:
        """While interrupted, tell the worker the time."""
        self._arrived_ms = now_ms
        self._send(wire.Tick(now_ms))

    def resume(self) -> None:
        """Note that units of another publisher follow. The worker sees that by itself."""
        self._briefing.resume()

    async def close(self) -> None:
        """Let the worker encode what it holds, then end it; by force after the deadline."""
        self._closing.set()
        self._send(wire.Close())
        if self._runner is None:
            return
        try:
            await asyncio.wait_for(self._runner, self._patience.close)
        except TimeoutError:
            self._log.warning("worker did not close in time: killed")
        finally:
            self._kill()
        await self._end()

    def _forget_publisher(self) -> None:
        self._keyed = False
        self._debt.settle()

    def _behind(self, share: int = 1) -> bool:
        """Tell whether more waits than may, or than a `share`-th of that."""
        held = self._held()
        if not held:
            return False
        self._backlog.settle(held)
        return (
            held > self._patience.unread_bytes // share
            or self._backlog.age_ms(self._arrived_ms) > self._patience.unread_ms // share
        )

    def _held(self) -> int:
        return self._process.held if self._process else 0

    def _send(self, message: wire.Down) -> None:
        self._waiting.append(wire.encode(message))
        self._write()

    def _write(self) -> None:
        """Write to the worker what waits to be."""
        pieces, self._waiting, self._sounds = self._waiting, [], 0
        process = self._process
        if process is not None and process.write(*pieces):
            self._backlog.wrote(sum(map(len, pieces)), self._arrived_ms, process.held)

    async def _spawn(self) -> None:
        self._process = await WorkerProcess.spawn()
        self._decoder = wire.Decoder()
        self._backlog.clear()
        self._waiting, self._sounds = [], 0
        self._keyed = False
        self._debt.settle()
        self._send(self._settings())
        for message in self._briefing.messages(self._arrived_ms):
            self._send(message)
        if self._closing.is_set():  # meanwhile, when there was nobody to tell
            self._send(wire.Close())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        delay = self._patience.backoff_first
        while True:
            began = loop.time()
            if self._process is not None:
                await self._attend(self._process)
            code = await self._end()
            if self._closing.is_set():
                return
            self.restarts += 1
            words = self.last_words[-1] if self.last_words else ""
            self._log.error("worker died: restarting", code=code, last_words=words, delay=delay)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), delay)
                return
            if loop.time() - began > self._patience.steady:
                delay = self._patience.backoff_first
            delay = min(delay * 2, self._patience.backoff_most)
            try:
                await self._spawn()
            except OSError as error:
                self._log.error("worker cannot be started", error=str(error))

    async def _attend(self, process: WorkerProcess) -> None:
        """Return when the worker's output has ended, or was ended because it went silent."""
        reading = asyncio.create_task(process.read(self._take))
        listening = asyncio.create_task(process.listen(self._hear))
        alarm = asyncio.create_task(self._wait_for_silence())
        tasks = (reading, listening, alarm)
        try:
            await asyncio.wait((reading, alarm), return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                self._log.error("worker is silent: killed", seconds=self._patience.silence)
                process.kill()
            await asyncio.wait((reading, listening), timeout=self._patience.close)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, data: bytes) -> None:
        self._debt.settle()
        try:
            for message in self._decoder.feed(data):
                if isinstance(message, wire.Up):
                    self._receive(message)
        except WireError as error:
            self._log.error("worker broke the protocol: killed", error=str(error))
            self._kill()
        except Exception:  # noqa: BLE001 - whatever it is, the next worker may do better
            self._log.exception("what a worker sent could not be taken: killed")
            self._kill()

    def _hear(self, line: str) -> None:
        self.last_words.append(line)
        self._log.info("worker says", line=line)

    async def _wait_for_silence(self) -> None:
        while True:
            waited = self._debt.waited(time.monotonic())
            if waited >= self._patience.silence:
                return
            await asyncio.sleep(self._patience.silence - waited)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    async def _end(self) -> int | None:
        """Make sure that the worker is gone; give its exit status."""
        process, self._process = self._process, None
        return await process.end() if process is not None else None
