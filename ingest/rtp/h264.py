"""H.264 in RTP (RFC 6184), packetization modes 0 and 1. Pure.

Parameter sets come in band. With every keyframe they are compared with the ones in force: new
ones are a new AVCDecoderConfigurationRecord, so that a size that changes in mid-stream is known
before its first picture. They stay in the samples too, where one may change between keyframes.
"""

from __future__ import annotations

from typing import Final

from ingest.errors import PeerError
from ingest.rtp.depacketize import Coded
from ingest.unit import VideoCodec, VideoConfig

_IDR: Final = 5
_SPS: Final = 7
_PPS: Final = 8
_DELIMITER: Final = 9
_LARGEST_SINGLE: Final = 23
_STAP_A: Final = 24
_FU_A: Final = 28
_FU_START: Final = 0x80
_MOST_SETS: Final = 8
"""Parameter sets of a kind that are kept; encoders use one, two with interlaced layers."""
_LARGEST_SET: Final = 4096
_HIGH: Final = frozenset({100, 110, 122, 144})


class H264Depacketizer:
    """Joins the NAL units of one access unit."""

    def __init__(self) -> None:
        self._nals: list[bytes | bytearray] = []
        self._fragment: bytearray | None = None
        self._size = 0
        self._sps: dict[bytes, bytes] = {}
        self._pps: dict[bytes, bytes] = {}
        self._record = b""

    def begins(self, payload: bytes) -> bool:
        """Tell whether this is a delimiter or an SPS, which stand first (7.4.1.2.3)."""
        if not payload:
            return False
        kind = payload[0] & 0x1F
        if kind == _STAP_A and len(payload) > 3:
            kind = payload[3] & 0x1F
        return kind in {_SPS, _DELIMITER}

    def add(self, payload: bytes) -> int:
        """Take a payload; give the access unit's bytes so far. Raises PeerError."""
        kind = payload[0] & 0x1F
        if kind == _FU_A:
            self._add_fragment(payload)
        elif self._fragment is not None:
            raise PeerError("H.264: a fragmented NAL unit without its end")
        elif kind == _STAP_A:
            self._add_aggregate(payload)
        elif 1 <= kind <= _LARGEST_SINGLE:
            self._nals.append(payload)
        else:
            raise PeerError(f"H.264: packets of type {kind} are not supported")
        self._size += len(payload)
        return self._size

    def finish(self) -> Coded | None:
        nals = [bytes(nal) for nal in self._nals]
        broken = self._fragment is not None
        self.discard()
        if broken or not nals:
            return None
        kinds = {nal[0] & 0x1F for nal in nals}
        if not kinds & {1, 2, _IDR}:
            self._keep_sets(nals)
            return None
        key = _IDR in kinds
        self._keep_sets(nals)
        data = b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)
        return Coded(data, key and bool(self._sps and self._pps), self._config() if key else None)

    def discard(self) -> None:
        self._nals = []
        self._fragment = None
        self._size = 0

    def _add_fragment(self, payload: bytes) -> None:
        """Take a fragmentation unit (5.8)."""
        if len(payload) < 3:
            raise PeerError("H.264: a fragment that is cut off")
        if payload[1] & _FU_START:
            if self._fragment is not None:
                raise PeerError("H.264: a fragmented NAL unit without its end")
            self._fragment = bytearray((payload[0] & 0xE0 | payload[1] & 0x1F,))
        if self._fragment is None:
            raise PeerError("H.264: a fragmented NAL unit without its beginning")
        self._fragment += payload[2:]
        if payload[1] & 0x40:  # E
            self._nals.append(self._fragment)
            self._fragment = None

    def _add_aggregate(self, payload: bytes) -> None:
        """Take a single-time aggregation packet (5.7.1)."""
        position = 1
        while position < len(payload):
            start = position + 2
            position = start + int.from_bytes(payload[position:start], "big")
            if start >= position or position > len(payload):
                raise PeerError("H.264: an aggregation packet that is cut off")
            self._nals.append(payload[start:position])

    def _keep_sets(self, nals: list[bytes]) -> None:
        for nal in nals:
            kind = nal[0] & 0x1F
            if kind not in {_SPS, _PPS} or not 4 <= len(nal) <= _LARGEST_SET:
                continue
            if kind == _SPS:
                # A new sequence parameter set is a new sequence: what belonged to another is void.
                name = _identity(nal[4:])
                if self._sps.get(name) not in {None, nal}:
                    self._pps.clear()
                self._sps[name] = nal
            else:
                self._pps[_identity(nal[1:])] = nal
            for sets in (self._sps, self._pps):
                while len(sets) > _MOST_SETS:
                    del sets[next(iter(sets))]

    def _config(self) -> VideoConfig | None:
        """Give the configuration where it is not the one told last."""
        if not self._sps or not self._pps:
            return None
        record = _avcc(list(self._sps.values()), list(self._pps.values()))
        if record == self._record:
            return None
        self._record = record
        return VideoConfig(VideoCodec.H264, record)


def _identity(bits: bytes) -> bytes:
    """Give what stands for the id, the leading ue(v), of a parameter set: its code (9.1)."""
    value = int.from_bytes(bits[:8].ljust(8, b"\0"), "big")
    zeros = 64 - value.bit_length()
    length = min(64, 2 * zeros + 1)
    return (value >> (64 - length)).to_bytes(9, "big")


def _avcc(sps: list[bytes], pps: list[bytes]) -> bytes:
    """Write an AVCDecoderConfigurationRecord with 4-byte lengths (ISO/IEC 14496-15 5.3.3.1.2).

    `transcode.nal` writes the encoder's own; what the two folders share is the unit alone.
    """
    record = bytearray((1, *sps[0][1:4], 0xFF, 0xE0 | len(sps)))
    for nal in sps:
        record += len(nal).to_bytes(2, "big") + nal
    record.append(len(pps))
    for nal in pps:
        record += len(nal).to_bytes(2, "big") + nal
    if sps[0][1] in _HIGH:
        record += b"\xfd\xf8\xf8\x00"
    return bytes(record)
