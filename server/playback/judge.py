"""The one judge of who may watch: a channel's rule, a token and the time in, a verdict out. Pure.

It is asked for every playlist and every part, by thousands of viewers at once; so a token whose
signature was found good is remembered, and costs a look into a table and a few comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.playback.token import Claims, Signed, read

SKEW_SECONDS: Final = 10
"""By how much the clock of whoever minted may be ahead of ours, or behind it."""
MOST_REMEMBERED: Final = 20_000
"""Tokens, some 500 bytes each: as many as there may be requests held at once."""


class Reason(StrEnum):
    MISSING = "token-missing"
    UNKNOWN = "token-unknown"
    """No token, or signed with none of the channel's keys."""
    EXPIRED = "token-expired"
    EARLY = "token-not-yet-good"
    ELSEWHERE = "token-of-another-show"


@dataclass(frozen=True, slots=True)
class Denied:
    reason: Reason
    at: int | None = None
    """When the token expired, or will be good; UTC seconds."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    text: str
    until_ms: int | None = None
    """Until when what it signed is good, UTC ms: the old one of a rotation; None: no end."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A channel's rule. `keys`: newest first; none where it is public."""

    signed: bool = False
    keys: tuple[SigningKey, ...] = ()


PUBLIC: Final = Policy()
MISSING: Final = Denied(Reason.MISSING)
UNKNOWN: Final = Denied(Reason.UNKNOWN)
ELSEWHERE: Final = Denied(Reason.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class _Remembered:
    claims: Claims
    key: SigningKey


class Judge:
    """Judges tokens, and remembers at most `most` that were genuine."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._remembered: dict[str, _Remembered] = {}

    def judge(
        self, policy: Policy, token: str, channel: str, now_ms: int, grace_seconds: int = 0
    ) -> Claims | Denied:
        """Tell what the token opens, or why it does not open `channel` now.

        `grace_seconds`: for so long behind its end it is good still. Whether the session fits is
        the caller's to see (`opens`), since only few tokens name one.
        """
        found = self._remembered.get(token)
        if found is None or found.key not in policy.keys:
            told = self._prove(policy, token, channel)
            if isinstance(told, Denied):
                return told
            found = told
        claims, until = found.claims, found.key.until_ms
        if claims.channel != channel:
            return ELSEWHERE
        if now_ms >= 1000 * (claims.expires + SKEW_SECONDS + grace_seconds):
            return Denied(Reason.EXPIRED, claims.expires)
        if now_ms < 1000 * (claims.not_before - SKEW_SECONDS):
            return Denied(Reason.EARLY, claims.not_before)
        return claims if until is None or now_ms < until else UNKNOWN

    def _prove(self, policy: Policy, token: str, channel: str) -> _Remembered | Denied:
        if not token:
            return MISSING
        signed = read(token)
        if signed is None:
            return UNKNOWN
        if signed.claims.channel != channel:
            return ELSEWHERE
        key = _signer(policy, signed)
        if key is None:
            return UNKNOWN
        while len(self._remembered) >= self._most:
            del self._remembered[next(iter(self._remembered))]
        found = self._remembered[token] = _Remembered(signed.claims, key)
        return found


def opens(claims: Claims, session: str | None) -> bool:
    """Tell whether a genuine token opens `session` of its channel; None: none is known."""
    return not claims.session or claims.session == session


def _signer(policy: Policy, signed: Signed) -> SigningKey | None:
    return next((key for key in policy.keys if signed.made_with(key.text)), None)
