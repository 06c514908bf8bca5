"""One epoch being made: its clock, its pictures in their slots, its sound without gaps.

Runs in the worker only; all but `stage` on the frame thread.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from av.video.frame import VideoFrame

from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND
from overlay.scene import Scene
from overlay.tiles import ColorSpec
from transcode import scale
from transcode.audio import Samples, silence
from transcode.ladder import AAC_FRAME
from transcode.message import Shown, Up
from transcode.part import Epoch
from transcode.renditions import Renditions
from transcode.report import Report
from transcode.stage import Cue
from transcode.timeline import Jump, Timeline
from transcode.track_line import ticks_of_samples


class Kind(NamedTuple):
    """What cannot change within an epoch."""

    width: int
    height: int
    color: ColorSpec
    pixel_shape: Fraction = Fraction(1)
    """Width of a pixel over its height."""


SOUND_ONLY = Kind(0, 0, ColorSpec())
"""Of an epoch without pictures."""


def kind_of(frame: VideoFrame, pixel_shape: Fraction = Fraction(1)) -> Kind:
    return Kind(frame.width, frame.height, scale.color_of(frame), pixel_shape)


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
        self.kind = kind
        self.ladder = ladder
        self.last: VideoFrame | None = None
        """The newest picture of the publisher's."""
        self._epoch = epoch
        self._renditions = renditions
        self._report = report
        self._emit = emit
        self._timeline = Timeline(
            epoch.origin, ladder.frame_rate, ladder.sample_rate, has_video=self.has_video
        )
        self._number = 0

    @property
    def has_video(self) -> bool:
        """False: the epoch has the audio-only rendition alone."""
        return bool(self.ladder.renditions)

    def picture(self, frame: VideoFrame, *, spared: bool = False) -> bool:
        """Place and encode `frame`; False when its time does not belong to this epoch.

        `spared`: the encoders have no time for it, the one before is shown again.
        """
        slot = self._timeline.video(frame.pts or 0)
        if isinstance(slot, Jump):
            return False
        self._repeat(slot.repeat)
        if not slot.emit:
            self._report.dropped += 1
        elif spared and self.last is not None:
            self._report.dropped += 1
            self._repeat(1)
            return True
        else:
            self._encode(frame)
        self.last = frame
        return True

    def sound(self, pts: int, samples: Samples) -> bool | None:
        """Place and encode sound.

        False: it has no place here and was left out, whole. None: its time does not belong
        to this epoch, which has no pictures to tell that by.
        """
        slot = self._timeline.audio(pts, samples.shape[1])
        if isinstance(slot, Jump):
            return None
        if slot.silence:
            self._renditions.sound(silence(slot.silence))
        if slot.skip < samples.shape[1]:
            self._renditions.sound(samples[:, slot.skip :])
        if not self.has_video:
            self._tell(self._sound_end)
        return bool(slot.skip < samples.shape[1])

    def stand(self, frame: VideoFrame | None, until_ms: int) -> None:
        """Encode `frame` again and again, with silence, up to `until_ms` on the PDT axis."""
        until = (until_ms - self._epoch.pdt_ms) * TICKS_PER_MS
        end = until
        if frame is not None and self.has_video:
            while (end := self.ladder.frame_ticks(self._number)) <= until:
                self._timeline.video(self._epoch.origin + end)
                self._encode(frame)
        missing = end * self.ladder.sample_rate // TICKS_PER_SECOND - self._timeline.next_sample
        if missing > 0:
            self.sound(self._epoch.origin + self._sound_end, silence(missing))

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
        """End of the last picture on the PDT axis; of the last AAC packet where there are none."""
        if not self.has_video:
            packets = -(-self._timeline.next_sample // AAC_FRAME)
            return self._pdt_ms(ticks_of_samples(packets * AAC_FRAME, self.ladder.sample_rate))
        return self._pdt_ms(self.ladder.frame_ticks(self._number))

    def close(self) -> None:
        """Encode what is held and emit the last parts. Raises MediaError."""
        end = self.ladder.frame_ticks(self._number) * self.ladder.sample_rate
        missing = end // TICKS_PER_SECOND - self._timeline.next_sample
        if missing > 0:
            self._renditions.sound(silence(missing))
        self._renditions.close()

    def _repeat(self, times: int) -> None:
        if self.last is not None:
            self._report.repeated += times
            for _ in range(times):
                self._encode(self.last)

    def _encode(self, frame: VideoFrame) -> None:
        tick = self.ladder.frame_ticks(self._number)
        cues = self._renditions.stage.due(tick)
        self._renditions.picture(frame, self._number, cues)
        self._number += 1
        self._report.encoded()
        for cue in cues:
            self._emit(_shown(cue, self._pdt_ms(tick)))

    def _tell(self, tick: int) -> None:
        """Tell of the scenes that nobody can see, for want of pictures, when their time comes."""
        for cue in self._renditions.stage.due(tick):
            self._emit(_shown(cue, self._pdt_ms(tick)))

    @property
    def _sound_end(self) -> int:
        return ticks_of_samples(self._timeline.next_sample, self.ladder.sample_rate)

    def _pdt_ms(self, tick: int) -> int:
        return self._epoch.pdt_ms + tick // TICKS_PER_MS


def _shown(cue: Cue, at_ms: int) -> Shown:
    rects = cue.prepared[0].rects if cue.prepared else ()
    problems = {problem for prepared in cue.prepared for problem in prepared.problems}
    return Shown(cue.scene.id, at_ms, rects, tuple(sorted(problems)))
