"""An archive for tests: keeps what the window tells its scribe, and fails as it is told to."""

from __future__ import annotations

import asyncio

from server.hls.playlist import PartTag, Segment
from server.hls.targets import Targets
from transcode.part import Track


class Archive:
    """Holds every closed segment at once, unless `late`; both archive and scribe."""

    def __init__(self) -> None:
        self.bodies: dict[tuple[str, str], bytes] = {}
        self.inits: dict[tuple[str, str], bytes] = {}
        self.targets: Targets | None = None
        self.late = False
        """Nothing more is held from now on."""
        self.failing = False
        self.gate: asyncio.Event | None = None
        self.reads = 0
        self._parts: dict[str, list[bytes]] = {}

    def holds(self, rendition: str, name: str) -> bool:
        return (rendition, name) in self.bodies

    async def read(self, rendition: str, name: str) -> bytes | None:
        self.reads += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.failing:
            raise OSError("the disk does not answer")
        return self.bodies.get((rendition, name))

    def announced(self, targets: Targets) -> None:
        assert self.targets in (None, targets)
        self.targets = targets

    def begun(self, rendition: str, map_uri: str, track: Track) -> None:
        self.inits[rendition, map_uri] = track.init

    def added(self, rendition: str, segment: Segment, part: PartTag, data: bytes) -> None:
        assert segment.parts[-1] == part
        self._parts.setdefault(rendition, []).append(data)

    def closed(self, rendition: str, segment: Segment, first_msn: int) -> None:
        body = b"".join(self._parts.pop(rendition, []))
        assert segment.gap == (not body)
        if body and not self.late:
            self.bodies[rendition, segment.uri] = body
