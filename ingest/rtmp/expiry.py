"""Until when a certificate is good (RFC 5280, 4.1.2.5). Pure; time is an argument."""

from __future__ import annotations

import binascii
from datetime import UTC, datetime, timedelta
from typing import Final

SOON: Final = timedelta(days=14)
"""So long before its end it is warned of: most tools renew a month before."""
_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"
_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_FORMATS: Final = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}
_MAX_LENGTH_BYTES: Final = 3


def not_after(pem: str) -> datetime | None:
    """Tell until when the first certificate in `pem` is good; None when that cannot be read."""
    _, begin, rest = pem.partition(_BEGIN)
    body, end, _ = rest.partition(_END)
    if not begin or not end:
        return None
    try:
        _, whole, _ = _element(binascii.a2b_base64(body))
        _, signed, _ = _element(whole)
        kind, _, left = _element(signed)
        # The version, which the oldest leave out; serial number, signature, issuer.
        for _ in range(3 if kind == _VERSION else 2):
            _, _, left = _element(left)
        kind, validity, _ = _element(left)
        if kind != _SEQUENCE:
            return None
        kind, text, _ = _element(_element(validity)[2])
        return _time(kind, text)
    except (ValueError, IndexError):
        return None


def aging(pem: str, now: datetime) -> str:
    """Say that the first certificate in `pem` has expired, or will soon; "" for neither."""
    until = not_after(pem)
    if until is None or until - now > SOON:
        return ""
    at = f"{until:%Y-%m-%d} at {until:%H:%M} UTC"
    if until <= now:
        return f"expired on {at}: encoders that check certificates refuse it; renew it"
    return f"expires on {at}; renew it"


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Split DER (X.690, 8.1): the first element's tag and content, and what follows it.

    Raises ValueError, IndexError for what is none.
    """
    kind, length, at = data[0], data[1], 2
    if length & 0x80:
        count = length & 0x7F
        if not 0 < count <= _MAX_LENGTH_BYTES:
            raise ValueError("a length that no certificate has")
        at += count
        length = int.from_bytes(data[2:at], "big")
    if len(data) < at + length:
        raise ValueError("it ends too early")
    return kind, data[at : at + length], data[at + length :]


def _time(kind: int, text: bytes) -> datetime | None:
    layout = _FORMATS.get(kind)
    if layout is None:
        return None
    found = datetime.strptime(text.decode("ascii"), layout).replace(tzinfo=UTC)
    # Two digits stand for 1950 to 2049; Python takes them for 1969 to 2068.
    return (
        found.replace(year=found.year - 100) if kind == _UTC_TIME and found.year > 2049 else found
    )
