"""Who is asking: secrets, the operator's token, viewers' signed cookies.

Stream keys and tokens are 192 random bits made here. They are stored as plain SHA-256: there
is no dictionary to run against such a secret, so a slow, salted hash would add nothing but a
way to burn our CPU from outside.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from itsdangerous import BadSignature, Signer

from server.channel import Channel
from server.errors import Forbidden, Unauthorized

ADMIN_TOKEN_ENV = "VITRINE_ADMIN_TOKEN"  # noqa: S105 - the variable's name
VIEWER_COOKIE = "vitrine_viewer"
_SECRET_BYTES = 24
_MIN_ADMIN_TOKEN = 16
_MAX_TOKEN = 512


class Role(StrEnum):
    OPERATOR = "operator"
    ANCHOR = "anchor"
    VIEWER = "viewer"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `channel`: the anchor's only one. `viewer`: an id, empty for the others."""

    role: Role
    channel: str = ""
    viewer: str = ""

    @property
    def actor(self) -> str:
        """How the record names them; no secret."""
        return ":".join(part for part in (self.role, self.channel or self.viewer) if part)

    def may_run(self, channel: str) -> bool:
        """Tell whether they may pin and sell in `channel`."""
        return self.role is Role.OPERATOR or (self.role is Role.ANCHOR and self.channel == channel)

    def require_operator(self) -> None:
        """Raise Unauthorized for the unknown, Forbidden for others but the operator."""
        if self.role is not Role.OPERATOR:
            raise self._refusal("This needs the operator's token.")

    def require_channel(self, channel: str) -> None:
        """Raise Unauthorized or Forbidden unless they may run `channel`."""
        if not self.may_run(channel):
            raise self._refusal("This needs the channel's anchor token or the operator's.")

    def _refusal(self, detail: str) -> Unauthorized | Forbidden:
        return Forbidden(detail) if self.role is Role.ANCHOR else Unauthorized(detail)


ANONYMOUS = Principal(Role.ANONYMOUS)


def new_secret() -> str:
    """Make a stream key or token: 192 random bits, URL-safe, easy to paste."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def digest(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def matches(secret: str, stored: str) -> bool:
    """Tell in constant time whether `stored` is the digest of `secret`."""
    return hmac.compare_digest(digest(secret), stored)


def operator_token(data_dir: Path, environment: Mapping[str, str]) -> str:
    """Return the operator's token from VITRINE_ADMIN_TOKEN, else from `data_dir/admin-token`.

    The file is made at the first call, readable by its owner only. Raises ValueError for a
    token too short to be one, OSError when the file cannot be made or read.
    """
    given = environment.get(ADMIN_TOKEN_ENV, "")
    if given:
        if len(given) < _MIN_ADMIN_TOKEN:
            raise ValueError(f"{ADMIN_TOKEN_ENV} must have at least {_MIN_ADMIN_TOKEN} characters")
        return given
    return _kept(data_dir / "admin-token")


def viewer_secret(data_dir: Path) -> str:
    """Return the secret that signs viewers' cookies; made at the first call, kept, mode 0600."""
    return _kept(data_dir / "viewer-secret")


def playback_secret(data_dir: Path) -> str:
    """Return the secret that signing keys are derived from; made at the first call, mode 0600."""
    return _kept(data_dir / "playback-secret")


def _kept(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Written aside and linked into place: two processes that start at once agree on one file,
    # and nobody ever reads half a secret.
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    if not path.exists():
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(new_secret() + "\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    kept = path.read_text(encoding="utf-8").strip()
    if len(kept) < _MIN_ADMIN_TOKEN:
        raise ValueError(f"{path} holds no secret; remove it to have a new one made")
    return kept


@dataclass(frozen=True, slots=True)
class Viewer:
    id: str
    token: str
    """Cookie value and X-Viewer-Token alike."""


class Viewers:
    """Issues and checks viewers' tokens; nothing is stored, the signature is the proof."""

    def __init__(self, secret: str) -> None:
        self._signer = Signer(secret, salt="vitrine.viewer", digest_method=hashlib.sha256)

    def issue(self) -> Viewer:
        viewer = secrets.token_urlsafe(12)
        return Viewer(viewer, self._signer.sign(viewer).decode("ascii"))

    def check(self, token: str) -> str | None:
        """Return the viewer's id, None for a token that is not ours."""
        if len(token) > _MAX_TOKEN:
            return None
        try:
            return self._signer.unsign(token).decode("ascii")
        except (BadSignature, UnicodeError):
            return None


class AnchorTokens(Protocol):
    async def by_anchor_token(self, token: str) -> Channel | None: ...


class Authenticator:
    """Turns what a request carries into a Principal."""

    def __init__(self, operator: str, anchors: AnchorTokens, viewers: Viewers) -> None:
        self._operator = digest(operator)
        self._anchors = anchors
        self._viewers = viewers

    async def bearer(self, token: str) -> Principal:
        """Return the operator or anchor whose token this is. Raises Unauthorized."""
        if 0 < len(token) <= _MAX_TOKEN:
            if matches(token, self._operator):
                return Principal(Role.OPERATOR)
            channel = await self._anchors.by_anchor_token(token)
            if channel is not None:
                return Principal(Role.ANCHOR, channel=channel.id)
        raise Unauthorized("This token is not known.")

    def viewer(self, token: str) -> Principal:
        """Return the viewer whose cookie or X-Viewer-Token this is. Raises Unauthorized."""
        viewer = self._viewers.check(token)
        if viewer is None:
            raise Unauthorized("This viewer token was not issued here.")
        return Principal(Role.VIEWER, viewer=viewer)
