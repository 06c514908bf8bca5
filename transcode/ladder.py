"""The ladder: what one source becomes, and the grid of frames, parts and segments.

Pure. The grid is counted in frames, so every rendition has the same boundaries by
construction; ticks are computed from the count, each rounded once, so nothing drifts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND
from transcode.errors import MediaError
from transcode.frame_rate import FrameRateProbe as FrameRateProbe
from transcode.profile import DEFAULT as DEFAULT
from transcode.profile import FULL_HD as FULL_HD
from transcode.profile import Profile as Profile
from transcode.profile import Rung as Rung

SAMPLE_RATE = 48_000
AAC_FRAME = 1024
"""Samples in an AAC-LC access unit (ISO/IEC 14496-3)."""
AAC_TICKS = Fraction(AAC_FRAME * TICKS_PER_SECOND, SAMPLE_RATE)
MIN_FRAME_RATE = 15
"""Slower sources are repeated up to it: with fewer frames parts would be too uneven."""
SHORTEST_PART = Fraction(85, 100)
"""Of PART-TARGET (RFC 8216bis, 4.4.4.9)."""
MAX_SIDE = 8192
MUX_RATE = 16_000
"""Bit/s of moof boxes: three parts a second, some 80 samples of up to 12 bytes each."""
AUDIO_PEAK = Fraction(5, 4)
"""The AAC encoder's bit reservoir lets a segment exceed its average."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """One rung for one source: even sizes, square pixels, never upscaled."""

    name: str
    """By the short side, e.g. `720p`; unique in its ladder."""
    width: int
    height: int
    bitrate: int
    """Bit/s of video, average."""
    max_rate: int
    """Bit/s at which the rate control's buffer fills."""
    buffer_size: int
    """Bits. A segment of T seconds has at most `max_rate * T + buffer_size`."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The renditions of one epoch and the grid that they share."""

    frame_rate: Fraction
    frames_per_part: int
    parts_per_segment: int
    part_target: int
    """Ticks, whole milliseconds. No part is longer, the audio-only rendition's included;
    none but the last of a segment is shorter than 85 % of it."""
    renditions: tuple[Rendition, ...]
    """Best first; without the audio-only one."""
    audio_bitrate: int
    sample_rate: int = SAMPLE_RATE

    @property
    def frames_per_segment(self) -> int:
        return self.frames_per_part * self.parts_per_segment

    @property
    def segment_target(self) -> int:
        """Ticks; no segment is longer. EXT-X-TARGETDURATION is this, rounded to seconds."""
        return _longest(Fraction(self.frames_per_segment) / self.frame_rate)

    def frame_ticks(self, n: int) -> int:
        """Give the start of frame `n` in ticks from the start of the epoch."""
        return frame_ticks(self.frame_rate, n)

    def bandwidth(self, rendition: Rendition | None) -> int:
        """Give the peak segment bit rate (BANDWIDTH) with audio; of the audio alone for None."""
        audio = floor(self.audio_bitrate * AUDIO_PEAK) + MUX_RATE
        if rendition is None:
            return audio
        seconds = Fraction(self.frames_per_segment) / self.frame_rate
        return rendition.max_rate + ceil(rendition.buffer_size / seconds) + audio


def frame_ticks(frame_rate: Fraction, n: int) -> int:
    """Give the start of frame `n` in 90 kHz ticks, rounded half up."""
    numerator, denominator = frame_rate.numerator, frame_rate.denominator
    return (2 * n * TICKS_PER_SECOND * denominator + numerator) // (2 * numerator)


def resolve(
    profile: Profile,
    width: int,
    height: int,
    frame_rate: Fraction,
    sar: Fraction = Fraction(1),
) -> Ladder:
    """Make the ladder of `profile` for a source of `width` x `height` pixels.

    `frame_rate` is the source's nominal rate; the ladder's is brought between 15 and
    the profile's cap by a whole factor. `sar` is the shape of the source's pixels,
    width / height. Raises MediaError when the source has no usable size or rate.
    """
    if not (2 <= width <= MAX_SIDE and 2 <= height <= MAX_SIDE):
        raise MediaError(f"a picture of {width} x {height} cannot be scaled")
    if not (0 < frame_rate <= 1000 and Fraction(1, 16) <= sar <= 16):
        raise MediaError(f"{frame_rate} frames/s, pixels of shape {sar}: out of bounds")
    rate = _output_rate(frame_rate, profile.max_frame_rate)
    frames, parts = _grid(rate, profile.part_seconds, profile.segment_seconds)
    return Ladder(
        frame_rate=rate,
        frames_per_part=frames,
        parts_per_segment=parts,
        part_target=_part_target(Fraction(frames) / rate, profile.part_seconds),
        renditions=_renditions(profile, width * sar, Fraction(height)),
        audio_bitrate=profile.audio_bitrate,
    )


def sound_only(profile: Profile) -> Ladder:
    """Make the ladder of `profile` for a source without pictures.

    It has no rung but the grid of 30 frames/s, so that pictures that come later, at the
    usual rates, keep the playlists' targets. Raises MediaError.
    """
    return replace(resolve(profile, 1280, 720, Fraction(30)), renditions=())


def _output_rate(source: Fraction, most: Fraction) -> Fraction:
    if source > most:
        return source / ceil(source / most)
    if source < MIN_FRAME_RATE:
        return source * ceil(MIN_FRAME_RATE / source)
    return source


def _grid(rate: Fraction, part: Fraction, segment: Fraction) -> tuple[int, int]:
    """Find frames per part and parts per segment: the least summed relative error.

    Only segments that round to the seconds that `segment` rounds to are candidates,
    so that EXT-X-TARGETDURATION is the same at every frame rate (RFC 8216bis, 4.4.3.1).
    """
    target = _whole_seconds(segment)
    best: tuple[Fraction, int, int] | None = None
    for frames in range(1, ceil(rate * part * 2) + 1):
        length = frames / rate
        middle = floor(segment / length)
        for parts in (max(1, middle), middle + 1):
            if _whole_seconds(Fraction(_longest(length * parts), TICKS_PER_SECOND)) != target:
                continue
            error = abs(length - part) / part + abs(length * parts - segment) / segment
            if best is None or error < best[0]:
                best = (error, frames, parts)
    if best is None:
        raise MediaError(f"no whole parts fit {float(rate):.3f} frames/s")
    return best[1], best[2]


def _whole_seconds(seconds: Fraction) -> int:
    return floor(seconds + Fraction(1, 2))


def _longest(seconds: Fraction) -> int:
    """Give, in ticks, the longest span near `seconds`: of frames rounded, of AAC frames whole."""
    ticks = seconds * TICKS_PER_SECOND
    return max(ceil(ticks), ceil(ceil(ticks / AAC_TICKS) * AAC_TICKS))


def _part_target(part: Fraction, wished: Fraction) -> int:
    """Choose PART-TARGET. It should be the same at every frame rate, as players expect."""
    ticks = part * TICKS_PER_SECOND
    shortest = min(floor(ticks), floor(floor(ticks / AAC_TICKS) * AAC_TICKS))
    own, common = (
        -(-span // TICKS_PER_MS) * TICKS_PER_MS
        for span in (_longest(part), ceil(wished * TICKS_PER_SECOND + AAC_TICKS))
    )
    return common if own <= common and shortest >= SHORTEST_PART * common else own


def _renditions(profile: Profile, width: Fraction, height: Fraction) -> tuple[Rendition, ...]:
    short = min(width, height)
    rungs = sorted(profile.rungs, key=lambda rung: -rung.short_side)
    fitting = [rung for rung in rungs if rung.short_side <= short]
    if not fitting:
        least = rungs[-1]
        side = _even(short)
        fitting = [Rung(side, max(50_000, least.bitrate * side**2 // least.short_side**2))]
    return tuple(_rendition(rung, width, height) for rung in fitting)


def _rendition(rung: Rung, width: Fraction, height: Fraction) -> Rendition:
    scale = rung.short_side / min(width, height)
    max_rate = rung.bitrate * 11 // 10
    return Rendition(
        name=f"{rung.short_side}p",
        width=_even(width * scale),
        height=_even(height * scale),
        bitrate=rung.bitrate,
        max_rate=max_rate,
        buffer_size=max_rate // 2,
    )


def _even(length: Fraction) -> int:
    """Round to the nearest even number, at least 2; down from the middle."""
    return max(2, 2 * ceil(length / 2 - Fraction(1, 2)))
