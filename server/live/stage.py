"""The live streams as the shop sees them: what it shows, and when. asyncio."""

from __future__ import annotations

from collections.abc import Mapping

from overlay.scene import Scene
from server.hls.playlist import DateRange
from server.live.stream import LiveStream
from server.record.recorder import Recorder
from server.shop.port import LiveSession, ShownAt


class Stage:
    """See `server.shop.port.Stage`. `streams` are the registry's, by channel."""

    def __init__(self, streams: Mapping[str, LiveStream], recorder: Recorder | None) -> None:
        self._streams = streams
        self._recorder = recorder

    def session(self, channel: str) -> LiveSession | None:
        stream = self._streams.get(channel)
        if stream is None or stream.started_ms is None or stream.ending:
            return None
        return LiveSession(stream.session, stream.started_ms)

    def media_now(self, channel: str) -> int | None:
        stream = self._streams.get(channel)
        return stream.media_now if stream else None

    async def show(self, channel: str, scene: Scene, at_ms: int) -> ShownAt | None:
        stream = self._streams.get(channel)
        return await stream.show(scene, at_ms) if stream else None

    def annotate(self, channel: str, ranges: tuple[DateRange, ...]) -> None:
        stream = self._streams.get(channel)
        if stream is not None:
            stream.runs.annotate(ranges)
            if self._recorder is not None:
                self._recorder.annotate(stream.session, ranges)
