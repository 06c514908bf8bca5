"""The initialization section: ftyp + moov of one rendition.

Pure. Sources: ISO/IEC 14496-12 (boxes, cited by clause), 14496-14 5.6 (esds),
14496-1 7.2.6 (descriptors), 14496-15 5.3.4 (avc1), 23000-19 7.2 (brands).
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack

from ingest.unit import TICKS_PER_SECOND
from transcode.errors import MediaError
from transcode.nal import parse_avcc
from transcode.sps import Colour, parse_sps

VIDEO_TRACK = 1
AUDIO_TRACK = 2
MOVIE_TIMESCALE = 1000

_MATRIX = pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000)
_UNDETERMINED = 0x55C4
"""ISO 639-2 `und`, five bits a letter (8.4.2.3)."""
_ENABLED_IN_MOVIE = 3


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
    traks: list[bytes] = []
    trexs: list[bytes] = []
    if video is not None:
        traks.append(_video_trak(video))
        trexs.append(_trex(VIDEO_TRACK))
    if audio is not None:
        traks.append(_audio_trak(audio))
        trexs.append(_trex(AUDIO_TRACK))
    if not traks:
        raise MediaError("an initialization section needs a track")
    # CMAF allows one track a file; muxed sections are plain ISO fragments.
    brands = b"iso6mp41" if len(traks) > 1 else b"iso6mp41cmfc"
    ftyp = box(b"ftyp", b"iso6", pack(">I", 0), brands)
    return ftyp + box(b"moov", _mvhd(), *traks, box(b"mvex", *trexs))


def box(kind: bytes, *content: bytes) -> bytes:
    """Write a box (4.2)."""
    return pack(">I4s", 8 + sum(map(len, content)), kind) + b"".join(content)


def _full(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    return box(kind, pack(">I", version << 24 | flags), *content)


def _mvhd() -> bytes:
    return _full(
        b"mvhd",
        0,
        0,
        pack(">IIIIIH10x", 0, 0, MOVIE_TIMESCALE, 0, 0x10000, 0x100),
        _MATRIX,
        pack(">24xI", AUDIO_TRACK + 1),
    )


def _trex(track: int) -> bytes:
    return _full(b"trex", 0, 0, pack(">IIIII", track, 1, 0, 0, 0))


def _video_trak(track: VideoTrack) -> bytes:
    tkhd = _tkhd(VIDEO_TRACK, 0, track.width, track.height)
    vmhd = _full(b"vmhd", 0, 1, bytes(8))
    return box(
        b"trak",
        tkhd,
        _mdia(TICKS_PER_SECOND, b"vide", b"VideoHandler\x00", vmhd, _avc1(track)),
    )


def _audio_trak(track: AudioTrack) -> bytes:
    tkhd = _tkhd(AUDIO_TRACK, 0x100, 0, 0)
    smhd = _full(b"smhd", 0, 0, bytes(4))
    return box(
        b"trak",
        tkhd,
        _mdia(track.sample_rate, b"soun", b"SoundHandler\x00", smhd, _mp4a(track)),
    )


def _tkhd(track: int, volume: int, width: int, height: int) -> bytes:
    return _full(
        b"tkhd",
        0,
        _ENABLED_IN_MOVIE,
        pack(">IIIII8xHHHH", 0, 0, track, 0, 0, 0, 0, volume, 0),
        _MATRIX,
        pack(">II", width << 16, height << 16),
    )


def _mdia(timescale: int, handler: bytes, name: bytes, media: bytes, entry: bytes) -> bytes:
    dref = _full(b"dref", 0, 0, pack(">I", 1), _full(b"url ", 0, 1))
    stbl = box(
        b"stbl",
        _full(b"stsd", 0, 0, pack(">I", 1), entry),
        _full(b"stts", 0, 0, bytes(4)),
        _full(b"stsc", 0, 0, bytes(4)),
        _full(b"stsz", 0, 0, bytes(8)),
        _full(b"stco", 0, 0, bytes(4)),
    )
    return box(
        b"mdia",
        _full(b"mdhd", 0, 0, pack(">IIIIHH", 0, 0, timescale, 0, _UNDETERMINED, 0)),
        _full(b"hdlr", 0, 0, pack(">I4s12x", 0, handler), name),
        box(b"minf", media, box(b"dinf", dref), stbl),
    )


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
    return _full(b"esds", 0, 0, _descriptor(3, pack(">HB", 0, 0), config, _descriptor(6, b"\x02")))


def _descriptor(tag: int, *content: bytes) -> bytes:
    """Write a descriptor with its size in four bytes, seven bits each (14496-1 8.3.3)."""
    size = sum(map(len, content))
    sizes = (0x80 | size >> 21 & 0x7F, 0x80 | size >> 14 & 0x7F, 0x80 | size >> 7 & 0x7F)
    return bytes((tag, *sizes, size & 0x7F)) + b"".join(content)
