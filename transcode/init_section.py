"""The initialization section: ftyp + moov of one rendition.

Pure. Sources: ISO/IEC 14496-12 (boxes, cited by clause), 14496-14 5.6 (esds),
14496-1 7.2.6 (descriptors), 14496-15 5.3.4 (avc1), 23000-19 7.2 (brands).
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack

from ingest.unit import TICKS_PER_SECOND
from transcode.chunks import TrackHead
from transcode.errors import MediaError
from transcode.movie_boxes import box, full_box, mdia, mvhd, tkhd
from transcode.nal import parse_avcc
from transcode.sps import Colour, parse_sps

VIDEO_TRACK = 1
AUDIO_TRACK = 2


@dataclass(frozen=True, slots=True)
class VideoTrack:
    avcc: bytes
    """AVCDecoderConfigurationRecord; samples carry 4-byte lengths."""
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class AudioTrack:
    asc: bytes
    """AudioSpecificConfig."""
    sample_rate: int
    channels: int


def init_section(video: VideoTrack | None, audio: AudioTrack | None) -> bytes:
    """Write ftyp + moov for the tracks given. Raises MediaError (none given, broken avcC)."""
    heads: list[TrackHead] = []
    if video is not None:
        size = (video.width, video.height)
        heads.append(TrackHead(VIDEO_TRACK, b"vide", TICKS_PER_SECOND, *size, _avc1(video)))
    if audio is not None:
        rate = audio.sample_rate
        heads.append(TrackHead(AUDIO_TRACK, b"soun", rate, 0, 0, _mp4a(audio)))
    if not heads:
        raise MediaError("an initialization section needs a track")
    # CMAF allows one track a file; muxed sections are plain ISO fragments.
    brands = b"iso6mp41" if len(heads) > 1 else b"iso6mp41cmfc"
    ftyp = box(b"ftyp", b"iso6", pack(">I", 0), brands)
    mvex = box(b"mvex", *map(_trex, heads))
    return ftyp + box(b"moov", mvhd(AUDIO_TRACK + 1), *map(_trak, heads), mvex)


def _trak(head: TrackHead) -> bytes:
    stbl = box(
        b"stbl",
        full_box(b"stsd", 0, 0, pack(">I", 1), head.entry),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    return box(b"trak", tkhd(head), mdia(head, stbl))


def _trex(head: TrackHead) -> bytes:
    return full_box(b"trex", 0, 0, pack(">IIIII", head.id, 1, 0, 0, 0))


def _avc1(track: VideoTrack) -> bytes:
    config = parse_avcc(track.avcc)
    colour = parse_sps(config.sps[0]).colour if config.sps else None
    return box(
        b"avc1",
        pack(
            ">6xH16xHHIIIH32xHh",
            1,
            track.width,
            track.height,
            0x48_0000,
            0x48_0000,
            0,
            1,
            24,
            -1,
        ),
        box(b"avcC", track.avcc),
        _colr(colour) if colour is not None else b"",
        box(b"pasp", pack(">II", 1, 1)),
    )


def _colr(colour: Colour) -> bytes:
    """Write the code points that the SPS tells (12.1.5): one truth for both."""
    return box(
        b"colr",
        b"nclx",
        pack(
            ">HHHB",
            colour.primaries,
            colour.transfer,
            colour.matrix,
            0x80 if colour.full_range else 0,
        ),
    )


def _mp4a(track: AudioTrack) -> bytes:
    # 16.16 cannot hold more; the AudioSpecificConfig is what counts.
    rate = track.sample_rate if track.sample_rate <= 0xFFFF else 0
    return box(
        b"mp4a",
        pack(">6xH8xHHIHH", 1, track.channels, 16, 0, rate, 0),
        _esds(track.asc),
    )


def _esds(asc: bytes) -> bytes:
    # ES_ID is 0 in a file (14496-14 3.1.2); 0x40 is AAC, 0x15 an audio stream.
    config = _descriptor(4, pack(">BB3xII", 0x40, 0x15, 0, 0), _descriptor(5, asc))
    return full_box(
        b"esds", 0, 0, _descriptor(3, pack(">HB", 0, 0), config, _descriptor(6, b"\x02"))
    )


def _descriptor(tag: int, *content: bytes) -> bytes:
    """Write a descriptor with its size in four bytes, seven bits each (14496-1 8.3.3)."""
    size = sum(map(len, content))
    sizes = (0x80 | size >> 21 & 0x7F, 0x80 | size >> 14 & 0x7F, 0x80 | size >> 7 & 0x7F)
    return bytes((tag, *sizes, size & 0x7F)) + b"".join(content)
