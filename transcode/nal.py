"""H.264 NAL units: Annex B and length-prefixed form, avcC, what to call the codec.

Pure. Sources: ITU-T H.264 Annex B, ISO/IEC 14496-15 5.3.3 (avcC), RFC 6381 3.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from transcode.errors import BitstreamError

AAC_LC = "mp4a.40.2"
"""RFC 6381 name of AAC-LC."""
START_CODE = b"\x00\x00\x01"
_HIGH_PROFILES = frozenset({100, 110, 122, 144})
"""Their avcC ends with chroma format and bit depths (ISO/IEC 14496-15 5.3.3.1.2)."""


class NalType(IntEnum):
    """nal_unit_type, ITU-T H.264 table 7-1; those that are told apart here."""

    SLICE = 1
    IDR = 5
    SEI = 6
    SPS = 7
    PPS = 8
    AUD = 9
    END_OF_SEQUENCE = 10
    END_OF_STREAM = 11
    FILLER = 12


_OUT_OF_BAND = frozenset(
    {
        NalType.SPS,
        NalType.PPS,
        NalType.AUD,
        NalType.END_OF_SEQUENCE,
        NalType.END_OF_STREAM,
        NalType.FILLER,
    }
)
"""Not in an `avc1` sample: parameter sets are in avcC only, the rest is dead weight."""


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """An AVCDecoderConfigurationRecord."""

    length_size: int
    """Bytes of the length before each NAL unit: 1, 2 or 4."""
    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]


def split_annexb(data: bytes) -> Iterator[bytes]:
    """Give the NAL units of a byte stream, without start codes (B.1.1)."""
    start = data.find(START_CODE)
    while start >= 0:
        start += 3
        following = data.find(START_CODE, start)
        nal = data[start : following if following >= 0 else len(data)].rstrip(b"\x00")
        if nal:
            yield nal
        start = following


def split_avcc(data: bytes, length_size: int = 4) -> Iterator[bytes]:
    """Give the NAL units of a length-prefixed sample. Raises BitstreamError."""
    position, end = 0, len(data)
    while position < end:
        start = position + length_size
        position = start + int.from_bytes(data[position:start], "big")
        if start > end or position > end:
            raise BitstreamError("a NAL unit runs past the end of its sample")
        if position > start:
            yield data[start:position]


def avcc_sample(data: bytes) -> bytes:
    """Turn one Annex B access unit into a sample with 4-byte lengths.

    Parameter sets, delimiters and filler are left out. Raises BitstreamError when
    nothing remains.
    """
    pieces: list[bytes] = []
    for nal in split_annexb(data):
        if nal[0] & 0x1F not in _OUT_OF_BAND:
            pieces += (len(nal).to_bytes(4, "big"), nal)
    if not pieces:
        raise BitstreamError("an access unit without a picture")
    return b"".join(pieces)


def avcc_from_annexb(extradata: bytes) -> bytes:
    """Build avcC from an encoder's headers: SPS and PPS in Annex B. Raises BitstreamError."""
    nals = list(split_annexb(extradata))
    return avcc(
        tuple(nal for nal in nals if nal[0] & 0x1F == NalType.SPS),
        tuple(nal for nal in nals if nal[0] & 0x1F == NalType.PPS),
    )


def avcc(sps: tuple[bytes, ...], pps: tuple[bytes, ...]) -> bytes:
    """Build avcC (4-byte lengths) for 8-bit 4:2:0 video. Raises BitstreamError."""
    if not (1 <= len(sps) <= 31 and 1 <= len(pps) <= 255) or len(sps[0]) < 4:
        raise BitstreamError("avcC needs 1 to 31 SPS and 1 to 255 PPS")
    record = bytearray((1, *sps[0][1:4], 0xFF, 0xE0 | len(sps)))
    for nal in sps:
        record += len(nal).to_bytes(2, "big") + nal
    record.append(len(pps))
    for nal in pps:
        record += len(nal).to_bytes(2, "big") + nal
    if sps[0][1] in _HIGH_PROFILES:
        record += b"\xfd\xf8\xf8\x00"
    return bytes(record)


def parse_avcc(record: bytes) -> DecoderConfig:
    """Read avcC. Raises BitstreamError when a length runs past the end."""
    if len(record) < 7 or record[0] != 1:
        raise BitstreamError("not an AVCDecoderConfigurationRecord")
    sps, position = _parameter_sets(record, 6, record[5] & 0x1F)
    if position >= len(record):
        raise BitstreamError("avcC ends before its PPS")
    pps, _ = _parameter_sets(record, position + 1, record[position])
    return DecoderConfig((record[4] & 3) + 1, sps, pps)


def _parameter_sets(record: bytes, position: int, count: int) -> tuple[tuple[bytes, ...], int]:
    found: list[bytes] = []
    for _ in range(count):
        start = position + 2
        position = start + int.from_bytes(record[position:start], "big")
        if start > len(record) or position > len(record):
            raise BitstreamError("a parameter set runs past the end of avcC")
        found.append(record[start:position])
    return tuple(found), position


def codecs(record: bytes) -> str:
    """Give the RFC 6381 name of avcC's video, e.g. `avc1.64001f`. Raises BitstreamError."""
    if len(record) < 4:
        raise BitstreamError("avcC is too short")
    return f"avc1.{record[1:4].hex()}"
