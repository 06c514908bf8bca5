"""Broadcasts that have ended and may still be read (RFC 8216bis 6.2.1). asyncio, by its edges."""

from __future__ import annotations

from server.clock import Clock
from server.hls.edge import Edge
from server.live.stream import LiveStream


class Past:
    """The last broadcast of each channel, for as long as it is owed to its viewers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._streams: dict[str, tuple[LiveStream, float]] = {}
        """With the time at which it may be forgotten."""

    def __contains__(self, channel: str) -> bool:
        return channel in self._streams

    def edge(self, channel: str) -> Edge | None:
        found = self._streams.get(channel)
        return found[0].runs.edge if found else None

    def session(self, channel: str) -> str | None:
        found = self._streams.get(channel)
        return found[0].session if found else None

    def take(self, stream: LiveStream) -> None:
        """Keep a stream whose playlists have ended; one that nobody could play is let go."""
        if stream.runs.window.playable:
            until = self._clock.monotonic() + stream.runs.window.linger_ms / 1000
            self._streams[stream.channel] = (stream, until)
        else:
            stream.runs.edge.close()

    def expire(self) -> None:
        """Forget what is owed to nobody any more."""
        now = self._clock.monotonic()
        for channel, (stream, until) in list(self._streams.items()):
            stream.runs.window.expire(int(now * 1000))
            if now >= until:
                del self._streams[channel]
                stream.runs.edge.close()

    def close(self) -> None:
        for stream, _ in self._streams.values():
            stream.runs.edge.close()
