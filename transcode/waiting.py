"""What a publisher sent before its epoch could begin: pictures, sound, how fast they come.

Imports PyAV's types. Runs in the worker only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from av.video.frame import VideoFrame

from ingest.unit import TICKS_PER_SECOND
from transcode.audio import Samples
from transcode.ladder import SAMPLE_RATE

MOST_PICTURES = 30
"""Pictures held while the frame rate is being measured."""
MOST_SAMPLES = 8 * SAMPLE_RATE
"""Sound held until the first picture fixes the origin; tracks may be 5 s apart."""
MOST_SOUNDS = 4_000
"""Pieces of it, however short."""
NEAR = 8 * TICKS_PER_SECOND
"""Sound farther from the first picture has another clock."""


class Waiting:
    """Holds both for an epoch that is to begin with the oldest picture."""

    def __init__(self) -> None:
        self.pictures: deque[VideoFrame] = deque(maxlen=MOST_PICTURES)
        self._sounds: deque[tuple[int, Samples]] = deque()
        self._samples = 0
        self._alone = 0

    @property
    def alone_seconds(self) -> float:
        """Seconds of sound since the last epoch began, or the oldest picture came."""
        return self._alone / SAMPLE_RATE

    @property
    def sound_seconds(self) -> float:
        """Seconds of sound held."""
        return self._samples / SAMPLE_RATE

    def picture(self, frame: VideoFrame) -> None:
        """Hold a picture; the oldest goes when there are too many."""
        if not self.pictures:
            self._alone = 0
        self.pictures.append(frame)

    def sound(self, pts: int, samples: Samples) -> None:
        """Hold sound; the oldest goes when there is too much."""
        self._sounds.append((pts, samples))
        self._samples += samples.shape[1]
        self._alone += samples.shape[1]
        while self._samples > MOST_SAMPLES or len(self._sounds) > MOST_SOUNDS:
            self._samples -= self._sounds.popleft()[1].shape[1]

    def begin(self) -> None:
        """An epoch began: from now on count anew for how long sound comes alone."""
        self._alone = 0

    def drop_sound(self) -> None:
        """Forget the sound: what follows has found its place."""
        self._sounds.clear()
        self._samples = 0

    def take_pictures(self) -> Iterator[VideoFrame]:
        """Give the pictures, oldest first; they are held no longer."""
        while self.pictures:
            yield self.pictures.popleft()

    def take_sound(self, origin: int | None = None) -> list[tuple[int, Samples]]:
        """Give the sound for an epoch that begins at `origin` (None: anywhere), oldest first.

        None, when its newest piece has another clock than the picture: then only what
        comes from now on can be placed, by its arrival.
        """
        taken = list(self._sounds)
        self.drop_sound()
        if taken and origin is not None and abs(taken[-1][0] - origin) > NEAR:
            return []
        return taken
