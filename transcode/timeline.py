"""A publisher's timestamps become one gapless line of frames and samples.

Pure. The first picture is the origin. Pictures fall into slots of a constant rate,
sound is counted in samples; each track's counter is its clock, and timestamps only
correct it: jitter is ignored, holes are filled, what overlaps is left out.

Two tracks may reach us far apart though their timestamps agree, so how long one waits
for the other is learned: little at first, more once something came too late.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND
from transcode.ladder import frame_ticks
from transcode.track_line import SoundLine, TrackLine, ticks_of_samples

FORWARD = 8 * TICKS_PER_SECOND
"""A longer leap is not a hole to fill but another time line. Above 5 s: tracks may be
so far apart and still belong together."""
BACKWARD = TICKS_PER_SECOND
"""No reordering or jitter goes back so far."""
SLACK = 4 * TICKS_PER_MS
"""How far beyond half a frame a picture may be from its slot: without it a picture on the
border would be repeated and dropped in turn."""
MAX_EARLY_OR_LATE = 35 * TICKS_PER_MS
"""With the sound's tolerance this keeps the two within 40 ms from 15 frames/s up."""
SMOOTHING = 8
RESYNC = TICKS_PER_SECOND
"""So much sound in a row from elsewhere in time, without a jump of the picture, means that
the sound has a clock of its own; then its arrival is the best guess left."""


@dataclass(frozen=True, slots=True)
class VideoSlot:
    """What to do with one picture."""

    repeat: int
    """First encode the picture before so many times again."""
    emit: bool
    """Then encode this one; else drop it."""


@dataclass(frozen=True, slots=True)
class AudioSlot:
    """What to do with one block of sound, in samples."""

    silence: int
    """First insert so many."""
    skip: int
    """Then leave out the block's first so many; all of them, if that is its length."""


@dataclass(frozen=True, slots=True)
class Jump:
    """This time belongs to another line: start a new epoch with it."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What a track that lags must make up now, or it would hold the other one up."""

    frames: int
    """Repeat the last picture so many times."""
    samples: int
    """Insert so many of silence."""


JUMP = Jump()
NOTHING = Owed(0, 0)


class Timeline:
    """Places one epoch's decoded pictures (in order of presentation) and sound."""

    def __init__(
        self,
        origin: int,
        frame_rate: Fraction,
        sample_rate: int,
        *,
        has_video: bool = True,
    ) -> None:
        """Begin at `origin`, the publisher's time, in ticks, of the epoch's tick 0.

        Pictures that the epoch does not have are never waited for; sound it always has.
        """
        self._origin = origin
        self._rate = frame_rate
        self._has_video = has_video
        self._frame = float(TICKS_PER_SECOND / frame_rate)
        self._farthest = _farthest(self._frame)
        self._interval: float | None = None
        self._pictures = TrackLine()
        self._sound = SoundLine(sample_rate)
        self._foreign = 0
        self._shift = 0
        self.next_frame = 0
        """Frames placed so far, repeats included."""

    @property
    def next_sample(self) -> int:
        """Samples placed so far, silence included."""
        return self._sound.count

    def video(self, pts: int) -> VideoSlot | Jump:
        """Place a picture. What the slot says is counted as done."""
        position = pts - self._origin
        if self._pictures.leaps_back(position, BACKWARD):
            return JUMP
        if position > max(self._video_end, self._audio_end) + FORWARD:
            return JUMP
        self._learn_interval(position)
        early = self._video_end - position
        self._pictures.saw(position)
        if early > self._too_early:
            if early > self._frame:
                self._pictures.came_late(self._audio_end - position)
            return VideoSlot(0, False)
        self._pictures.came_in_time()
        repeat = 0
        if -early > self._farthest:
            repeat = max(0, round(-early / self._frame))
        self.next_frame += repeat + 1
        return VideoSlot(repeat, True)

    def audio(self, pts: int, samples: int) -> AudioSlot | Jump:
        """Place a block of `samples` samples. What the slot says is counted as done.

        With pictures in the epoch only they give a Jump. Sound that leaps is left out
        for a second, in which they would follow, and then goes on beside them.
        """
        position = pts - self._origin + self._shift
        if self._is_foreign(position):
            if not self._has_video:
                return JUMP
            if not self._settle_foreign(position, samples):
                return AudioSlot(0, samples)
            position = pts - self._origin + self._shift
        self._foreign = 0
        silence, skip = self._sound.place(position, samples, self._video_end)
        return AudioSlot(silence, skip)

    def owed(self) -> Owed:
        """Tell what the lagging track owes now. It is counted as done."""
        if not self._has_video:
            return NOTHING
        video, audio = self._video_end, self._audio_end
        if video > audio:
            wanted = video - self._sound.patience
            samples = self._sound.fill(wanted) if wanted > audio else 0
            return Owed(0, samples) if samples else NOTHING
        wanted = audio - self._pictures.patience
        frames = int((wanted - video) / self._frame) if wanted > video else 0
        if frames <= 0:
            return NOTHING
        self.next_frame += frames
        self._pictures.filled(self._video_end - video)
        return Owed(frames, 0)

    @property
    def _video_end(self) -> int:
        return frame_ticks(self._rate, self.next_frame)

    @property
    def _audio_end(self) -> int:
        return self._sound.end

    @property
    def _too_early(self) -> float:
        """How early a picture may be. One of the next pictures fits better than one that is
        earlier than half the source's own step, as when every other one is to go."""
        if self._interval is None:
            return self._farthest
        slack = min(SLACK, self._interval / 5)
        return min(self._farthest, self._interval / 2 + slack)

    def _learn_interval(self, position: int) -> None:
        last = self._pictures.last
        if last is None or not 0 < position - last < TICKS_PER_SECOND:
            return
        step = float(position - last)
        known = self._interval
        self._interval = step if known is None else known + (step - known) / SMOOTHING

    def _is_foreign(self, position: int) -> bool:
        if self._sound.leaps_back(position, BACKWARD):
            return True
        if not self._has_video:
            return position > self._audio_end + FORWARD
        return abs(position - self._video_end) > FORWARD

    def _settle_foreign(self, position: int, samples: int) -> bool:
        """Count a foreign block; True once the sound was given a new place beside the picture."""
        self._foreign += samples
        if ticks_of_samples(self._foreign, self._sound.sample_rate) < RESYNC:
            return False
        self._shift += max(self._video_end, self._audio_end) - position
        self._sound.forget()
        return True


def _farthest(frame: float) -> float:
    """Give how far, in ticks, a picture may be from its slot: half a frame and some slack."""
    half = frame / 2
    return max(half, min(half + SLACK, half + frame / 5, MAX_EARLY_OR_LATE))
