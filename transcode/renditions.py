"""Everything that one epoch is encoded into: the rungs, the sound, the audio-only rendition.

Runs in the worker only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from av.video.frame import VideoFrame

from overlay.compositor import Compositor
from overlay.tiles import ColorSpec
from transcode import nal
from transcode.audio import CHANNELS, AudioEncoder, Samples
from transcode.cutter import Cutter
from transcode.encode import VideoEncoder
from transcode.fmp4 import AudioTrack, VideoTrack, init_section
from transcode.ladder import AAC_TICKS, Ladder, Profile, Rendition
from transcode.part import Part, Track
from transcode.rung_thread import Picture, RungThread, Sound
from transcode.scale import Scaler
from transcode.stage import Cue, Stage

AUDIO_ONLY = "audio"
MAX_WAITING = 2_000
"""AAC packets ahead of the picture: more than the timeline's patience lets come about."""
MIN_SHRINK = 1.4
"""A rung scales from the smallest larger rung at least so many times its size:
closer sizes would blur twice for little gain."""


class Renditions:
    """Opens every encoder of an epoch, feeds them alike, closes them together."""

    def __init__(
        self,
        epoch: int,
        profile: Profile,
        ladder: Ladder,
        color: ColorSpec,
        emit: Callable[[Part], None],
    ) -> None:
        """Open the encoders and start their threads. Raises MediaError."""
        self.ladder = ladder
        self._emit = emit
        self._encoder = AudioEncoder(ladder.sample_rate, ladder.audio_bitrate)
        audio = AudioTrack(self._encoder.asc, ladder.sample_rate, CHANNELS)
        self._audio_cutter = Cutter(AUDIO_ONLY, epoch, ladder, None, audio)
        self._waiting: deque[bytes] = deque(maxlen=MAX_WAITING)
        self._released_ticks = 0
        self._packet_ticks = int(AAC_TICKS)
        self._pictures = 0
        self._rungs: list[RungThread] = []
        compositors: list[Compositor] = []
        tracks: list[Track] = []
        parents = _parents(ladder.renditions)
        for index, rendition in enumerate(ladder.renditions):
            encoder = VideoEncoder(profile, rendition, ladder.frame_rate, color)
            video = VideoTrack(encoder.avcc, rendition.width, rendition.height)
            compositors.append(Compositor(rendition.width, rendition.height, color))
            self._rungs.append(
                RungThread(
                    index,
                    Scaler(rendition.width, rendition.height, again=parents[index] is not None),
                    compositors[-1],
                    encoder,
                    Cutter(rendition.name, epoch, ladder, video, audio),
                    emit,
                )
            )
            tracks.append(_video_track(rendition, ladder, video, audio))
        self.tracks = (*tracks, _audio_track(ladder, audio))
        self._roots = [
            rung for rung, parent in zip(self._rungs, parents, strict=True) if parent is None
        ]
        for rung, parent in zip(self._rungs, parents, strict=True):
            if parent is not None:
                above = self._rungs[parent]
                above.below = (*above.below, rung)
        self.stage = Stage(compositors)
        for rung in self._rungs:
            rung.start()

    def picture(self, frame: VideoFrame, number: int, cues: list[Cue]) -> None:
        """Encode `frame` as number `number` in every rung; the last of `cues` begins with it."""
        tick = self.ladder.frame_ticks(number)
        key = number % self.ladder.frames_per_segment == 0
        picture = Picture(frame, number, tick, key)
        if cues:
            # What stood when an epoch begins goes on standing: it does not enter again.
            since = tick if number else cues[-1].at
            picture = picture._replace(scenes=cues[-1].prepared, since=since)
        for rung in self._roots:
            rung.put(picture)
        self._pictures = number + 1
        self._release()

    def sound(self, samples: Samples) -> None:
        """Encode samples once and hand the packets to every rendition."""
        self._deliver(self._encoder.write(samples))

    @property
    def depth(self) -> int:
        """Jobs waiting at the slowest rung."""
        return max((rung.depth for rung in self._rungs), default=0)

    def close(self) -> None:
        """Encode what is held, cut the last parts and join the threads. Raises MediaError."""
        self._deliver(self._encoder.flush())
        for rung in self._roots:
            rung.put(None)
        for rung in self._rungs:
            rung.finish()
        for part in self._audio_cutter.flush():
            self._emit(part)

    def _deliver(self, packets: list[bytes]) -> None:
        if not packets:
            return
        sound = Sound(tuple(packets))
        for rung in self._rungs:
            rung.put(sound)
        self._waiting.extend(packets)
        self._release()

    def _release(self) -> None:
        """Cut the audio-only rendition no further than the picture goes: all end alike."""
        end = self.ladder.frame_ticks(self._pictures)
        while self._waiting and (self._released_ticks < end or not self._rungs):
            self._released_ticks += self._packet_ticks
            for part in self._audio_cutter.audio(self._waiting.popleft()):
                self._emit(part)


def _parents(renditions: tuple[Rendition, ...]) -> list[int | None]:
    """Choose for each rung the smallest larger one that it may scale from; None: the source."""
    return [
        next(
            (
                above
                for above in reversed(range(index))
                if renditions[above].height >= rendition.height * MIN_SHRINK
            ),
            None,
        )
        for index, rendition in enumerate(renditions)
    ]


def _video_track(
    rendition: Rendition, ladder: Ladder, video: VideoTrack, audio: AudioTrack
) -> Track:
    return Track(
        name=rendition.name,
        codecs=f"{nal.codecs(video.avcc)},{nal.AAC_LC}",
        bandwidth=ladder.bandwidth(rendition),
        width=rendition.width,
        height=rendition.height,
        frame_rate=ladder.frame_rate,
        init=init_section(video, audio),
    )


def _audio_track(ladder: Ladder, audio: AudioTrack) -> Track:
    return Track(
        name=AUDIO_ONLY,
        codecs=nal.AAC_LC,
        bandwidth=ladder.bandwidth(None),
        init=init_section(None, audio),
    )
