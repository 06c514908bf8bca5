"""One video rendition: scale, draw, encode, cut. A thread of its own.

Runs in the worker only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from av.video.frame import VideoFrame

from overlay.compositor import Compositor, PreparedScene
from transcode import scale
from transcode.cutter import Cutter
from transcode.encode import AccessUnit, VideoEncoder
from transcode.errors import MediaError
from transcode.lane import Lane
from transcode.part import Part

QUEUE_JOBS = 16
"""Pictures and sound packets that may wait for one encoder; then the decoder waits."""
PUT_SECONDS = 20.0
"""An encoder that takes no job for so long is stuck; the worker ends and is replaced."""


class Picture(NamedTuple):
    """A tuple and not a dataclass: several are made for every frame."""

    frame: VideoFrame
    number: int
    tick: int
    key: bool
    scenes: tuple[PreparedScene, ...] = ()
    """The scene that begins with this picture, for every rung in order; else empty."""
    since: int = 0
    """The tick at which that scene enters; below 0 in an epoch before."""
    shared: bool = True
    """Others still read `frame` (a decoder predicts from it): not to be drawn on."""


class Sound(NamedTuple):
    packets: tuple[bytes, ...]


Job = Picture | Sound | None


class RungThread(threading.Thread):
    """Encodes one rendition; scales for the rungs below it before it draws on the picture."""

    def __init__(
        self,
        index: int,
        scaler: scale.Scaler,
        compositor: Compositor,
        encoder: VideoEncoder,
        cutter: Cutter,
        emit: Callable[[Part], None],
    ) -> None:
        super().__init__(name=f"rung-{index}", daemon=True)
        self.index = index
        self.below: Sequence[RungThread] = ()
        """The rungs that take their pictures from this one."""
        self.failure: Exception | None = None
        self.scaler = scaler
        self._compositor = compositor
        self._encoder = encoder
        self._cutter = cutter
        self._emit = emit
        self._jobs: Lane[Job] = Lane(QUEUE_JOBS)

    def put(self, job: Job) -> None:
        """Queue a job; waits while the queue is full. Raises MediaError when the rung is dead."""
        if not self._jobs.put(job, PUT_SECONDS):
            raise MediaError(f"{self.name} took no work for {PUT_SECONDS:.0f} s")
        self._judge()

    def finish(self) -> None:
        """Wait for the thread's end. Raises MediaError when it failed or is stuck."""
        self.join(PUT_SECONDS)
        if self.is_alive():
            raise MediaError(f"{self.name} did not finish in {PUT_SECONDS:.0f} s")
        self._judge()

    @property
    def depth(self) -> int:
        """Jobs waiting."""
        return self._jobs.depth

    def run(self) -> None:
        try:
            while (job := self._jobs.take()) is not None:
                self._do(job)
            for rung in self.below:
                rung.put(None)
            self._cut(self._encoder.flush())
            self._send(self._cutter.flush())
        except Exception as error:  # noqa: BLE001 - the pipeline hears of it and ends
            self.failure = error
            while self._jobs.take() is not None:
                pass  # whoever feeds this rung must not hang before it sees the failure
            for rung in self.below:
                rung.put(None)

    def _judge(self) -> None:
        if self.failure is not None:
            raise MediaError(f"{self.name} failed: {self.failure!r}") from self.failure

    def _do(self, job: Picture | Sound) -> None:
        if isinstance(job, Sound):
            for packet in job.packets:
                self._send(self._cutter.audio(packet))
            return
        frame = self.scaler.scale(job.frame)
        for rung in self.below:
            smaller = rung.scaler.scale(frame)
            rung.put(job._replace(frame=smaller, shared=smaller is frame))
        if job.scenes:
            self._compositor.change(job.scenes[self.index], job.since)
        if not self._compositor.idle:
            if frame is job.frame and job.shared:
                frame = scale.copy(frame)
            self._compositor.draw(*scale.views(frame), job.tick)
        self._cut(self._encoder.encode(frame, job.number, job.key))

    def _cut(self, units: list[AccessUnit]) -> None:
        for unit in units:
            self._send(self._cutter.video(unit.data, unit.key))

    def _send(self, parts: list[Part]) -> None:
        for part in parts:
            self._emit(part)
