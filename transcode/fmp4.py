"""Fragmented MP4: the initialization section, and one moof + mdat per part.

Pure. Sources: ISO/IEC 14496-12 (boxes, cited by clause), 14496-14 (esds),
14496-15 (avcC), 23000-19 (CMAF brands and constraints).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from struct import Struct, pack
from typing import NamedTuple

from transcode.errors import MediaError
from transcode.init_section import AUDIO_TRACK as AUDIO_TRACK
from transcode.init_section import VIDEO_TRACK as VIDEO_TRACK
from transcode.init_section import AudioTrack as AudioTrack
from transcode.init_section import VideoTrack as VideoTrack
from transcode.init_section import init_section as init_section
from transcode.movie_boxes import box as box

SYNC_FLAGS = 0x0200_0000
"""sample_depends_on 2: no other; sample_is_non_sync_sample 0 (8.8.3.1)."""
DELTA_FLAGS = 0x0101_0000
"""sample_depends_on 1: others; sample_is_non_sync_sample 1."""

_DEFAULT_BASE_IS_MOOF = 0x02_0000
_DEFAULT_DURATION = 0x08
_DEFAULT_FLAGS = 0x20
_DATA_OFFSET = 0x001
_FIRST_FLAGS = 0x004
_DURATIONS = 0x100
_SIZES = 0x200
_FLAGS = 0x400
_CTS = 0x800

_HEAD = Struct(">I4s")
_MFHD = Struct(">I4sII")
_TFDT = Struct(">I4sIQ")


class Sample(NamedTuple):
    """One access unit. A tuple and not a dataclass: one is made for every frame."""

    data: bytes
    duration: int
    """In the track's timescale."""
    sync: bool
    cts: int = 0
    """Presentation minus decoding time, in the track's timescale; may be negative."""


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive samples of one track."""

    track: int
    """VIDEO_TRACK or AUDIO_TRACK."""
    decode_time: int
    """Of the first sample, in the track's timescale, from the start of the epoch."""
    samples: Sequence[Sample]


def fragment(sequence: int, runs: Sequence[Run]) -> bytes:
    """Write one moof + mdat (8.8.4, 8.1.1) with the samples of each track in a row.

    `sequence` is mfhd's sequence_number, growing in a rendition. Runs without samples
    are left out. Raises MediaError for a negative time or nothing to write.
    """
    runs = [run for run in runs if run.samples]
    if not runs or min(run.decode_time for run in runs) < 0:
        raise MediaError("a fragment needs samples, at times from 0 on")
    flags = [_trun_flags(run.samples) for run in runs]
    trafs = [_traf_size(run, flag) for run, flag in zip(runs, flags, strict=True)]
    moof = 8 + _MFHD.size + sum(trafs)
    sizes = [sum(len(sample.data) for sample in run.samples) for run in runs]
    pieces: list[bytes] = [
        _HEAD.pack(moof, b"moof"),
        _MFHD.pack(_MFHD.size, b"mfhd", 0, sequence & 0xFFFF_FFFF),
    ]
    offset = moof + 8
    for run, flag, traf, size in zip(runs, flags, trafs, sizes, strict=True):
        pieces += _traf(run, flag, traf, offset)
        offset += size
    pieces.append(_HEAD.pack(8 + sum(sizes), b"mdat"))
    pieces += [sample.data for run in runs for sample in run.samples]
    return b"".join(pieces)


def _trun_flags(samples: Sequence[Sample]) -> int:
    """Choose the fewest per-sample fields that tell these samples (8.8.8.1)."""
    flags = _DATA_OFFSET | _SIZES
    first = samples[0]
    rest = {sample.sync for sample in samples[1:]}
    if len(rest) > 1:
        flags |= _FLAGS
    elif rest and first.sync not in rest:
        flags |= _FIRST_FLAGS
    if any(sample.duration != first.duration for sample in samples):
        flags |= _DURATIONS
    if any(sample.cts for sample in samples):
        flags |= _CTS
    return flags


def _per_sample(flags: int) -> int:
    return (flags & (_DURATIONS | _SIZES | _FLAGS | _CTS)).bit_count()


def _trun_size(run: Run, flags: int) -> int:
    return (24 if flags & _FIRST_FLAGS else 20) + 4 * _per_sample(flags) * len(run.samples)


def _tfhd_size(flags: int) -> int:
    return 20 if flags & _DURATIONS else 24


def _traf_size(run: Run, flags: int) -> int:
    return 8 + _tfhd_size(flags) + _TFDT.size + _trun_size(run, flags)


def _traf(run: Run, flags: int, size: int, offset: int) -> list[bytes]:
    samples = run.samples
    tfhd: list[int] = [run.track]
    tfhd_flags = _DEFAULT_BASE_IS_MOOF | _DEFAULT_FLAGS
    if not flags & _DURATIONS:
        tfhd_flags |= _DEFAULT_DURATION
        tfhd.append(samples[0].duration)
    tfhd.append(SYNC_FLAGS if samples[-1].sync else DELTA_FLAGS)
    trun: list[int] = [len(samples), offset]
    if flags & _FIRST_FLAGS:
        trun.append(SYNC_FLAGS if samples[0].sync else DELTA_FLAGS)
    trun += _entries(samples, flags)
    return [
        _HEAD.pack(size, b"traf"),
        pack(f">I4s{1 + len(tfhd)}I", _tfhd_size(flags), b"tfhd", tfhd_flags, *tfhd),
        _TFDT.pack(_TFDT.size, b"tfdt", 0x0100_0000, run.decode_time),
        # Version 1: composition offsets are signed.
        pack(f">I4s{1 + len(trun)}I", _trun_size(run, flags), b"trun", 0x0100_0000 | flags, *trun),
    ]


def _entries(samples: Sequence[Sample], flags: int) -> list[int]:
    """Give the fields of each sample in a row, in the order of 8.8.8.2."""
    if not flags & (_DURATIONS | _FLAGS | _CTS):
        return [len(sample.data) for sample in samples]
    columns: list[list[int]] = []
    if flags & _DURATIONS:
        columns.append([sample.duration for sample in samples])
    columns.append([len(sample.data) for sample in samples])
    if flags & _FLAGS:
        columns.append([SYNC_FLAGS if sample.sync else DELTA_FLAGS for sample in samples])
    if flags & _CTS:
        columns.append([sample.cts & 0xFFFF_FFFF for sample in samples])
    return list(chain.from_iterable(zip(*columns, strict=True)))
