"""Every bound on what a publisher may cost, each with what it stops. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one RTMP listener. Sizes in bytes, times in seconds."""

    connections: int = 512
    """All sockets together: stops the exhaustion of file descriptors."""

    connections_per_address: int = 16
    """Sockets of one address (an IPv6 /64 is one): stops a single host from taking them all."""

    handshake_seconds: float = 5.0
    """From accept to C2: cuts port scanners, half-open sockets and slow drips."""

    publish_seconds: float = 10.0
    """From accept to `publish`: cuts a client that connects and then idles."""

    verdict_seconds: float = 5.0
    """The gate's answer: a stuck webhook or disk cannot pile up connections."""

    entry_seconds: float = 10.0
    """Going on the air, once judged: the channel's last broadcast may still be ending, for which
    its worker has some seconds."""

    silence_seconds: float = 8.0
    """No byte at all while live: a dead peer is found in under 10 s."""

    media_seconds: float = 20.0
    """No picture and no sound while live: cuts whoever holds a channel with pings alone."""

    linger_seconds: float = 1.0
    """How long a connection that is being ended may take to read why."""

    unpublished_bytes: int = 256 * 1024
    """Everything received before the publish is accepted: strangers cannot make us buffer."""

    chunk_bytes: int = 64 * 1024
    """Largest chunk size that a peer may set: a chunk is buffered whole."""

    chunk_streams: int = 64
    """Chunk streams a peer may open; encoders use 2 to 6, the protocol allows 65,598."""

    message_bytes: int = 8 * 1024 * 1024
    """One message, and all unfinished messages together: one keyframe at 50 Mbit/s is 1-2 MB."""

    command_bytes: int = 64 * 1024
    """One command or metadata message: bounds what AMF decoding can build."""

    message_streams: int = 8
    """`createStream` calls of one connection."""
