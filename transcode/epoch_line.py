"""One epoch being made: its clock, its pictures in their slots, its sound without gaps.

Runs in the worker only; all but `stage` on the frame thread.
"""

from __future__ import annotations

from collections.abc import Callable

from av.video.frame import VideoFrame

from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND
from overlay.scene import Scene
from overlay.tiles import ColorSpec
from transcode import scale
from transcode.audio import Samples, silence
from transcode.message import Shown, Up
from transcode.part import Epoch
from transcode.renditions import Renditions
from transcode.report import Report
from transcode.stage import Cue
from transcode.timeline import Jump, Timeline

Kind = tuple[int, int, ColorSpec]
"""Width, height and colour: what cannot change within an epoch."""


def kind_of(frame: VideoFrame) -> Kind:
    return frame.width, frame.height, scale.color_of(frame)


class EpochLine:
    """Places decoded pictures and sound on the epoch's axis and has them encoded."""

    def __init__(
        self,
        epoch: Epoch,
        kind: Kind,
        renditions: Renditions,
        report: Report,
        emit: Callable[[Up], None],
    ) -> None:
        ladder = renditions.ladder
        self._epoch = epoch
        self._kind = kind
        self._renditions = renditions
        self._ladder = ladder
        self._report = report
        self._emit = emit
        self._timeline = Timeline(epoch.origin, ladder.frame_rate, ladder.sample_rate)
        self._number = 0
        self._last: VideoFrame | None = None

    def fits(self, frame: VideoFrame) -> bool:
        """Tell whether `frame` is of the size and colour that the encoders were opened for.

        Neither changes but with a key picture (H.264 7.4.1.2.1).
        """
        return not frame.key_frame or kind_of(frame) == self._kind

    def picture(self, frame: VideoFrame) -> bool:
        """Place and encode `frame`; False when its time does not belong to this epoch."""
        slot = self._timeline.video(frame.pts or 0)
        if isinstance(slot, Jump):
            return False
        self._repeat(slot.repeat)
        if slot.emit:
            self._encode(frame)
        else:
            self._report.dropped += 1
        self._last = frame
        return True

    def sound(self, pts: int, samples: Samples) -> None:
        """Place and encode sound; what lies outside of the epoch is left out."""
        slot = self._timeline.audio(pts, samples.shape[1])
        if isinstance(slot, Jump):
            return
        if slot.silence:
            self._renditions.sound(silence(slot.silence))
        if slot.skip < samples.shape[1]:
            self._renditions.sound(samples[:, slot.skip :])

    def settle_debts(self) -> None:
        """Repeat the last picture, or insert silence, where one track holds the other up."""
        owed = self._timeline.owed()
        if owed.samples:
            self._renditions.sound(silence(owed.samples))
        self._repeat(owed.frames)

    def stage(self, scene: Scene, at_ms: int) -> None:
        """Draw `scene` up and queue it for `at_ms` on the PDT axis. Any thread; slow."""
        self._renditions.stage.add(scene, (at_ms - self._epoch.pdt_ms) * TICKS_PER_MS)

    @property
    def depth(self) -> int:
        """Jobs waiting at the slowest rung."""
        return self._renditions.depth

    @property
    def pdt_end_ms(self) -> int:
        """End of the last picture on the PDT axis."""
        return self._pdt_ms(self._ladder.frame_ticks(self._number))

    def close(self) -> None:
        """Encode what is held and emit the last parts. Raises MediaError."""
        end = self._ladder.frame_ticks(self._number) * self._ladder.sample_rate
        missing = end // TICKS_PER_SECOND - self._timeline.next_sample
        if missing > 0:
            self._renditions.sound(silence(missing))
        self._renditions.close()

    def _repeat(self, times: int) -> None:
        if self._last is not None:
            self._report.repeated += times
            for _ in range(times):
                self._encode(self._last)

    def _encode(self, frame: VideoFrame) -> None:
        tick = self._ladder.frame_ticks(self._number)
        cues = self._renditions.stage.due(tick)
        self._renditions.picture(frame, self._number, cues)
        self._number += 1
        self._report.encoded()
        for cue in cues:
            self._emit(_shown(cue, self._pdt_ms(tick)))

    def _pdt_ms(self, tick: int) -> int:
        return self._epoch.pdt_ms + tick // TICKS_PER_MS


def _shown(cue: Cue, at_ms: int) -> Shown:
    first = cue.prepared[0]
    problems = {problem for prepared in cue.prepared for problem in prepared.problems}
    return Shown(cue.scene.id, at_ms, first.rects, tuple(sorted(problems)))
