"""A publisher's timestamps as they really come, and what a Timeline makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from transcode.ladder import frame_ticks
from transcode.timeline import Jump, Timeline

TICKS_PER_MS = 90
SAMPLES = 1024


@dataclass(frozen=True)
class Stamp:
    """One picture or block of sound."""

    true: Fraction
    """When it happened, in seconds on the true clock."""
    pts: int
    """What the publisher says of it, in ticks."""
    arrival: Fraction
    """When it reaches us, in seconds."""
    samples: int = 0
    """0: a picture."""


def milliseconds(seconds: Fraction) -> int:
    """Stamp as RTMP does: whole milliseconds, in ticks."""
    return round(seconds * 1000) * TICKS_PER_MS


def pictures(
    rate: Fraction,
    seconds: float,
    *,
    begin: Fraction = Fraction(0),
    delay: Fraction = Fraction(0),
    noise: Callable[[int], Fraction] = lambda _: Fraction(0),
    keep: Callable[[int], bool] = lambda _: True,
) -> list[Stamp]:
    """Make pictures at `rate`; `noise(n)` seconds are added to picture n's stamp."""
    made = []
    for number in range(int(seconds * rate)):
        true = begin + number / rate
        if keep(number):
            made.append(Stamp(true, milliseconds(true + noise(number)), true + delay))
    return made


def sounds(
    seconds: float,
    *,
    rate: Fraction = Fraction(48_000),
    begin: Fraction = Fraction(0),
    delay: Fraction = Fraction(0),
    noise: Callable[[int], Fraction] = lambda _: Fraction(0),
    keep: Callable[[int], bool] = lambda _: True,
) -> list[Stamp]:
    """Make AAC blocks of a sound card that runs at `rate` samples a true second."""
    made = []
    for number in range(int(seconds * rate / SAMPLES)):
        true = begin + number * SAMPLES / rate
        if keep(number):
            made.append(Stamp(true, milliseconds(true + noise(number)), true + delay, SAMPLES))
    return made


@dataclass
class Output:
    """What a Timeline made: where each picture and each sample went."""

    frame_rate: Fraction
    sample_rate: int
    origin: Fraction
    shown: list[Stamp] = field(default_factory=list)
    """The picture in every slot, repeats included."""
    heard: list[tuple[int, int, Fraction]] = field(default_factory=list)
    """First sample, end sample, true time of the first."""
    repeated: int = 0
    dropped: int = 0
    silence: int = 0
    skipped: int = 0
    jump: Stamp | None = None
    most_held: Fraction = Fraction(0)
    """How far, in seconds, one track's end ever was from the other's after `owed`."""

    def picture_error(self, frame: int) -> Fraction:
        """Seconds by which slot `frame` shows its picture later than it happened."""
        at = Fraction(frame_ticks(self.frame_rate, frame), 90_000)
        return at - (self.shown[frame].true - self.origin)

    def sound_errors(self) -> list[tuple[Fraction, Fraction, Fraction]]:
        """Begin and end of each piece on the axis, and by how much it is late, in seconds."""
        rate = self.sample_rate
        return [
            (Fraction(a, rate), Fraction(b, rate), Fraction(a, rate) - (true - self.origin))
            for a, b, true in self.heard
        ]

    def skews(self) -> list[Fraction]:
        """Picture error minus sound error wherever a picture begins while sound is heard.

        Repeated pictures are left out: a hole in the source is not a fault of sync.
        """
        pieces, index, found = self.sound_errors(), 0, []
        for frame in range(len(self.shown)):
            if frame and self.shown[frame] is self.shown[frame - 1]:
                continue
            at = Fraction(frame_ticks(self.frame_rate, frame), 90_000)
            while index < len(pieces) and pieces[index][1] <= at:
                index += 1
            if index < len(pieces) and pieces[index][0] <= at:
                found.append(self.picture_error(frame) - pieces[index][2])
        return found


def run(
    stamps: Iterable[Stamp],
    frame_rate: Fraction,
    sample_rate: int = 48_000,
    *,
    has_video: bool = True,
) -> Output:
    """Feed stamps in order of arrival until the end or a Jump; check that counts agree."""
    ordered = sorted(stamps, key=lambda stamp: stamp.arrival)
    first = next(s for s in ordered if not has_video or not s.samples)
    timeline = Timeline(first.pts, frame_rate, sample_rate, has_video=has_video)
    output = Output(frame_rate, sample_rate, first.true)
    begin = ordered.index(first)
    # What came before the origin is fed after it, as a pipeline does that had to wait for it.
    for stamp in [first, *ordered[:begin], *ordered[begin + 1 :]]:
        placed = (
            _sound(timeline, stamp, output) if stamp.samples else _picture(timeline, stamp, output)
        )
        if not placed:
            output.jump = stamp
            return output
        _owed(timeline, output)
        assert timeline.next_frame == len(output.shown)
        end = frame_ticks(frame_rate, timeline.next_frame)
        gap = Fraction(timeline.next_sample, sample_rate) - Fraction(end, 90_000)
        output.most_held = max(output.most_held, abs(gap))
    return output


def _picture(timeline: Timeline, stamp: Stamp, output: Output) -> bool:
    slot = timeline.video(stamp.pts)
    if isinstance(slot, Jump):
        return False
    if slot.repeat:
        output.shown += [output.shown[-1]] * slot.repeat
        output.repeated += slot.repeat
    if slot.emit:
        output.shown.append(stamp)
    else:
        output.dropped += 1
    return True


def _sound(timeline: Timeline, stamp: Stamp, output: Output) -> bool:
    before = timeline.next_sample
    slot = timeline.audio(stamp.pts, stamp.samples)
    if isinstance(slot, Jump):
        return False
    assert slot.silence >= 0
    assert 0 <= slot.skip <= stamp.samples
    assert slot.silence == 0 or slot.skip == 0
    kept = stamp.samples - slot.skip
    assert timeline.next_sample == before + slot.silence + kept
    output.silence += slot.silence
    output.skipped += slot.skip
    if kept:
        begin = before + slot.silence
        true = stamp.true + Fraction(slot.skip, output.sample_rate)
        output.heard.append((begin, begin + kept, true))
    return True


def _owed(timeline: Timeline, output: Output) -> None:
    before = timeline.next_sample
    owed = timeline.owed()
    assert timeline.next_sample == before + owed.samples
    output.silence += owed.samples
    if owed.frames:
        output.shown += [output.shown[-1]] * owed.frames
        output.repeated += owed.frames
