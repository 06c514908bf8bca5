"""A playback token: seven fields between dots, the last one the signature. Pure.

    v1.CHANNEL.SESSION.EXPIRES.NOT_BEFORE.VIEWER.SIGNATURE

The canonical string is everything before the last dot; the signature is its HMAC-SHA256 under
the channel's signing key (the ASCII bytes of the key as it was shown), in base64url without
padding (RFC 4648 5). Every character is safe in a path, a query and a cookie as it is.
docs/playback.md is the manual for those who mint.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

VERSION: Final = "v1"
MOST_CHARACTERS: Final = 256
_SHAPE: Final = re.compile(
    r"(v1\.([a-z0-9-]{1,32})\.([0-9A-Za-z-]{0,40})\.([1-9][0-9]{0,10})\.([0-9]{0,11})"
    r"\.([0-9A-Za-z_-]{0,64}))\.([0-9A-Za-z_-]{43})",
    re.ASCII,
)
_VIEWER: Final = re.compile(r"[0-9A-Za-z_-]{0,64}", re.ASCII)
_SESSION: Final = re.compile(r"[0-9A-Za-z-]{0,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. Instants are whole seconds since 1970, UTC."""

    channel: str
    expires: int
    """From then on the token is over."""
    session: str = ""
    """Opens this session only, live or as a recording; empty: the whole channel."""
    not_before: int = 0
    """Before it the token is not good yet."""
    viewer: str = ""
    """Whom the shop made it out to; for its own records."""

    def text(self) -> str:
        """Give the canonical string."""
        early = str(self.not_before) if self.not_before else ""
        fields = (VERSION, self.channel, self.session, str(self.expires), early, self.viewer)
        return ".".join(fields)


@dataclass(frozen=True, slots=True)
class Signed:
    """A token as it was read: well formed, and no more than that."""

    claims: Claims
    text: str
    signature: str

    def made_with(self, key: str) -> bool:
        """Tell in constant time whether `key` signed it."""
        return hmac.compare_digest(self.signature, _sign(self.text, key))


def mint(claims: Claims, key: str) -> str:
    """Make the token of `claims`. Raises ValueError for claims that no token can carry."""
    token = f"{claims.text()}.{_sign(claims.text(), key)}"
    if read(token) is None:
        raise ValueError("no token can carry these claims")
    return token


def read(token: str) -> Signed | None:
    """Read a token; None for a text that is none."""
    found = _SHAPE.fullmatch(token) if len(token) <= MOST_CHARACTERS else None
    if found is None:
        return None
    text, channel, session, expires, early, viewer, signature = found.groups()
    claims = Claims(channel, int(expires), session, int(early or 0), viewer)
    return Signed(claims, text, signature)


def is_viewer(text: str) -> bool:
    """Tell whether a token can carry `text` as its viewer; the empty one is none."""
    return _VIEWER.fullmatch(text) is not None


def is_session(text: str) -> bool:
    """Tell whether a token can carry `text` as its session; the empty one is none."""
    return _SESSION.fullmatch(text) is not None


def _sign(text: str, key: str) -> str:
    made = hmac.new(key.encode(), text.encode("ascii"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode("ascii")
