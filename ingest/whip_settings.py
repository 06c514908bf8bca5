"""What a WHIP ingest is told by the configuration. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server (RFC 7064, RFC 7065)."""

    url: str
    username: str = ""
    credential: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class WhipSettings:
    """Bounds of the WHIP ingest, each with what it stops. Times in seconds."""

    ice_servers: tuple[IceServer, ...] = ()
    addresses: tuple[str, ...] = ()
    """Our own addresses to gather candidates on; empty: all that the machine has."""

    sessions: int = 64
    """All together: each holds sockets, and its packets are decrypted in this process."""

    asking: int = 32
    """Publishers whose key is being judged: a stuck webhook cannot pile them up."""

    verdict_seconds: float = 5.0
    """The gate's verdict, and later its way in: each."""

    gather_seconds: float = 8.0
    """Our own candidates: a STUN server that does not answer costs 5 s."""

    connect_seconds: float = 15.0
    """From the answer to a connection: cuts offers that nobody follows up."""

    silence_seconds: float = 8.0
    """No RTP at all while connected: a dead peer is found in under 10 s."""

    close_seconds: float = 3.0
    """To say goodbye to the peer; after it the session is over anyhow."""
