"""The server's half of the RTMP handshake (Adobe RTMP 1.0, 5.2). Pure.

The plain handshake: S1 claims version 0, so that clients that could check a
Flash digest (ffmpeg) do not ask for one.
"""

from __future__ import annotations

from typing import Final

from ingest.errors import PeerError

VERSION: Final = 3
SIZE: Final = 1536
"""C1, C2, S1 and S2 alike."""

NONCE_SIZE: Final = SIZE - 8

_ENCRYPTED: Final = (6, 8)
_TLS: Final = 0x16


class ServerHandshake:
    """Turns C0, C1, C2 into S0, S1, S2.

    `nonce`: NONCE_SIZE random bytes for S1; randomness is the caller's.
    """

    __slots__ = ("_answered", "_buffer", "_nonce", "done")

    def __init__(self, nonce: bytes) -> None:
        if len(nonce) != NONCE_SIZE:
            raise ValueError(f"nonce must be {NONCE_SIZE} bytes")
        self._nonce = nonce
        self._buffer = bytearray()
        self._answered = False
        self.done = False

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """Take bytes; return (what to send, what came after C2).

        The second is empty until `done`. Raises PeerError if C0 is not version 3.
        """
        buffer = self._buffer
        buffer += data
        if buffer and buffer[0] != VERSION:
            raise PeerError(_refusal(buffer[0]))
        answer = b""
        if not self._answered and len(buffer) >= 1 + SIZE:
            answer = self._answer(bytes(buffer[1 : 1 + SIZE]))
            self._answered = True
        # C2's echo is not compared: encoders send zeros, or C1 again, and work everywhere.
        if len(buffer) < 1 + 2 * SIZE:
            return answer, b""
        rest = bytes(buffer[1 + 2 * SIZE :])
        buffer.clear()
        self.done = True
        return answer, rest

    def _answer(self, c1: bytes) -> bytes:
        s1 = bytes(8) + self._nonce
        s2 = c1[:4] + bytes(4) + c1[8:]
        return bytes((VERSION,)) + s1 + s2


def _refusal(version: int) -> str:
    if version in _ENCRYPTED:
        return "encrypted RTMP (RTMPE) is not supported: use rtmp://"
    if version == _TLS:
        return "not RTMP but TLS: use rtmp:// on this port, rtmps:// has a port of its own"
    return f"not RTMP: the first byte is 0x{version:02x}, expected 0x03"
