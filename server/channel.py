"""What a channel is. Values only; standard library and `overlay.scene`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from overlay.scene import Corner, Motion


class OverlayMode(StrEnum):
    BURN = "burn"
    """The card is drawn into the picture; the page lays a hot-spot over it."""
    CLIENT = "client"
    """The page draws the card; the picture stays clean."""
    OFF = "off"
    """No card; pins live in the timeline only."""


@dataclass(frozen=True, slots=True)
class OverlaySettings:
    mode: OverlayMode = OverlayMode.BURN
    corner: Corner = Corner.BOTTOM_LEFT
    motion: Motion = Motion.FADE
    locale: str = "en"
    """BCP 47."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A room with a stream key, products and a page. Its secrets are kept apart, hashed."""

    id: str
    title: str
    profile: str
    overlay: OverlaySettings
    created_ms: int
    key_expires_ms: int | None = None
    """From when on its newest stream key begins no broadcast; None: for ever good."""


@dataclass(frozen=True, slots=True)
class StreamKey:
    """A stream key as it is kept: what it opens, never the key itself."""

    channel: Channel
    digest: str
    expires_ms: int | None = None

    def expired(self, now_ms: int) -> bool:
        return self.expires_ms is not None and now_ms >= self.expires_ms


@dataclass(frozen=True, slots=True)
class ChannelDefaults:
    """What a new channel gets where nothing is said, and what it may ask for."""

    profile: str
    profiles: frozenset[str]
    overlay: OverlaySettings
    max_channels: int = 1_000


class PlaybackMode(StrEnum):
    PUBLIC = "public"
    SIGNED = "signed"
    """Only who brings a token that was signed with the channel's key may watch."""


@dataclass(frozen=True, slots=True)
class PlaybackAccess:
    """Who may watch a channel, as it is kept: what its signing keys are derived from, no key."""

    mode: PlaybackMode
    salt: str
    """Empty: the channel was removed, and its recordings open for nobody's token."""
    old_salt: str = ""
    """The one before a rotation that left it some time; empty: none."""
    old_until_ms: int = 0


class SecretKind(StrEnum):
    STREAM_KEY = "stream-key"
    RETIRED_KEY = "retired-stream-key"
    """The one before, where a rotation left it some time."""
    ANCHOR_TOKEN = "anchor-token"  # noqa: S105 - the kind's name, not a secret


@dataclass(frozen=True, slots=True)
class Sequences:
    """Where a channel's live window goes on after a restart (RFC 8216bis 6.2.1: never back)."""

    next_msn: int = 1
    """Never 0: hls.js 1.7 takes msn 0 for no number and loads its parts over and over."""
    discontinuity: int = 0
    pdt_ms: int = 0
    """The newest EXT-X-PROGRAM-DATE-TIME handed out; later media must not lie before it."""


@dataclass(frozen=True, slots=True)
class Session:
    """One broadcast of a channel, reconnects included."""

    id: str
    started_ms: int
    ended_ms: int | None = None
