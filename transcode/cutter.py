"""Samples become parts, parts become segments: one rendition on the ladder's grid.

Pure. Boundaries come from counting frames and AAC packets alone, so every rendition
has the same ones and timestamps have no gaps (hls.md: RFC 8216bis 4.4.4.9, 6.2.1).
"""

from __future__ import annotations

from collections import deque

from ingest.unit import TICKS_PER_SECOND
from transcode.errors import MediaError
from transcode.fmp4 import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    AudioTrack,
    Run,
    Sample,
    VideoTrack,
    fragment,
)
from transcode.ladder import AAC_FRAME, Ladder
from transcode.part import Part
from transcode.track_line import ticks_of_samples

MAX_HELD_SECONDS = 30
"""One track may run so far ahead of the other. `Timeline.owed` keeps it far below."""


class Cutter:
    """Cuts one rendition of one epoch."""

    def __init__(
        self,
        rendition: str,
        epoch: int,
        ladder: Ladder,
        video: VideoTrack | None,
        audio: AudioTrack | None,
    ) -> None:
        """Cut for the tracks given. Raises MediaError when there is none."""
        if video is None and audio is None:
            raise MediaError("a rendition needs a track")
        self._rendition = rendition
        self._epoch = epoch
        self._ladder = ladder
        self._sample_rate = audio.sample_rate if audio is not None else ladder.sample_rate
        self._rate = ladder.frame_rate.as_integer_ratio()
        self._has_video = video is not None
        self._has_audio = audio is not None
        self._pictures: deque[Sample] = deque()
        self._packets: deque[Sample] = deque()
        self._next_frame = 0
        self._next_sample = 0
        self._frame_tick = 0
        self._part = 0
        self._part_tick = 0
        self._closed = False

    def video(self, data: bytes, key: bool, cts: int = 0) -> list[Part]:
        """Take the next picture in decoding order; give the parts that it completes.

        `data` is length-prefixed; `cts` is presentation minus decoding time in ticks.
        Raises MediaError when a segment would not begin with a key picture, or when
        the audio lags more than 30 s behind.
        """
        if not self._has_video:
            raise MediaError(f"{self._rendition} has no video track")
        if not key and self._next_frame % self._ladder.frames_per_segment == 0:
            raise MediaError(f"{self._rendition}: frame {self._next_frame} must be a key picture")
        self._next_frame += 1
        tick = self._ladder.frame_ticks(self._next_frame)
        self._pictures.append(Sample(data, tick - self._frame_tick, key, cts))
        self._frame_tick = tick
        return self._whole()

    def audio(self, data: bytes) -> list[Part]:
        """Take the next AAC packet (1024 samples); give the parts that it completes.

        Raises MediaError when the video lags more than 30 s behind.
        """
        if not self._has_audio:
            raise MediaError(f"{self._rendition} has no audio track")
        self._next_sample += AAC_FRAME
        self._packets.append(Sample(data, AAC_FRAME, True))
        return self._whole()

    def flush(self) -> list[Part]:
        """Give what is held, without waiting for a track that lags; the last one may be short.

        What a video rendition holds of audio after its last picture is left out. The
        cutter is spent after.
        """
        parts: list[Part] = []
        while not self._closed and (self._pictures or (self._packets and not self._has_video)):
            parts.append(self._cut(flushing=True))
        self._closed = True
        self._packets.clear()
        return parts

    def _whole(self) -> list[Part]:
        """Cut what is whole: all its frames are in and the audio has reached its end."""
        if self._closed:
            raise MediaError(f"{self._rendition} was flushed")
        parts: list[Part] = []
        while True:
            end = (self._part + 1) * self._ladder.frames_per_part
            if self._has_video and self._next_frame < end:
                break
            if self._has_audio and self._starts_before(self._next_sample, end):
                break
            parts.append(self._cut())
        self._judge()
        return parts

    def _judge(self) -> None:
        begin = self._part_tick
        audio = self._next_sample * TICKS_PER_SECOND // self._sample_rate
        if max(self._frame_tick, audio) - begin > MAX_HELD_SECONDS * TICKS_PER_SECOND:
            raise MediaError(f"{self._rendition}: audio and video are over 30 s apart")

    def _starts_before(self, sample: int, frame: int) -> bool:
        """Tell whether audio `sample` starts before `frame` does, exactly."""
        numerator, denominator = self._rate
        return sample * numerator < frame * denominator * self._sample_rate

    def _cut(self, flushing: bool = False) -> Part:
        ladder = self._ladder
        number = self._part
        segment, index = divmod(number, ladder.parts_per_segment)
        first_frame = self._next_frame - len(self._pictures)
        first_sample = self._next_sample - len(self._packets) * AAC_FRAME
        pictures = self._take_pictures()
        end = (
            first_frame + len(pictures)
            if self._has_video
            else (number + 1) * ladder.frames_per_part
        )
        packets = self._take_packets(first_sample, end)
        if self._has_video:
            start = ladder.frame_ticks(first_frame)
            duration = ladder.frame_ticks(end) - start
            held = bool(self._pictures)
        else:
            # On the grid, so that EXT-X-PROGRAM-DATE-TIME is the same in every rendition.
            start = ladder.frame_ticks(number * ladder.frames_per_part)
            rate, end_sample = self._sample_rate, first_sample + len(packets) * AAC_FRAME
            duration = ticks_of_samples(end_sample, rate) - ticks_of_samples(first_sample, rate)
            held = bool(self._packets)
        data = fragment(
            number + 1,
            (
                Run(VIDEO_TRACK, ladder.frame_ticks(first_frame), pictures),
                Run(AUDIO_TRACK, first_sample, packets),
            ),
        )
        self._part += 1
        self._part_tick = ladder.frame_ticks(self._part * ladder.frames_per_part)
        return Part(
            epoch=self._epoch,
            rendition=self._rendition,
            segment=segment,
            index=index,
            start=start,
            duration=duration,
            independent=pictures[0].sync if pictures else True,
            last=index == ladder.parts_per_segment - 1 or (flushing and not held),
            data=data,
        )

    def _take_pictures(self) -> list[Sample]:
        count = min(len(self._pictures), self._ladder.frames_per_part)
        return [self._pictures.popleft() for _ in range(count)]

    def _take_packets(self, first_sample: int, end_frame: int) -> list[Sample]:
        packets: list[Sample] = []
        sample = first_sample
        while self._packets and self._starts_before(sample, end_frame):
            packets.append(self._packets.popleft())
            sample += AAC_FRAME
        return packets
