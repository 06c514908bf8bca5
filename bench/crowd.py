"""Many low-latency HLS viewers in one process, as light as they can be.

    python -m bench.crowd HTTP_PORT CHANNEL VIEWERS SECONDS FILE RENDITION...

Each follows one rendition over two connections, as players do over HTTP/1.1: one reloads the
playlist (blocking, as a delta where that is offered, gzip), the other fetches each part by its
hint before it is there. Playlists are read once for all who get the same bytes; media is counted
and let go. What came when, by the monotonic clock, goes to FILE: kind, rendition, number of the
part, nanoseconds, one line each; what went wrong on standard output.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uvloop

RAMP_SECONDS = 6.0
"""Within it the viewers come."""
_BUFFER = memoryview(bytearray(1 << 20))
"""What is received passes through here; one loop, one read at a time."""
_HINT = re.compile(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="(.*p)(\d+)(\.m4s)"')
_SKIPPED = re.compile(r"#EXT-X-SKIP:.*SKIPPED-SEGMENTS=(\d+)")
Done = Callable[[int, bytes], None]


@dataclass(frozen=True, slots=True)
class Listed:
    """What a playlist tells a player to ask for next."""

    query: str
    before: str
    number: int
    """Of the hinted part, between `before` and `behind` in its name."""
    behind: str


def read(text: str) -> Listed | None:
    """Read a media playlist; None when it is over."""
    hint = _HINT.search(text)
    first = re.search(r"#EXT-X-MEDIA-SEQUENCE:(\d+)", text)
    if hint is None or first is None:
        return None
    skipped = _SKIPPED.search(text)
    msn = int(first[1]) + text.count("#EXTINF:") + (int(skipped[1]) if skipped else 0)
    parts = text[text.rfind("#EXTINF:") :].count("#EXT-X-PART:")
    skip = "&_HLS_skip=YES" if "CAN-SKIP-UNTIL" in text else ""
    return Listed(f"?_HLS_msn={msn}&_HLS_part={parts}{skip}", hint[1], int(hint[2]), hint[3])


class Line(asyncio.BufferedProtocol):
    """A connection that asks for one thing after another."""

    def __init__(self, lost: Callable[[], None]) -> None:
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._done: Done | None = None
        self._head = b""
        self._keep: bytearray | None = None
        self._left = 0
        self._status = 0

    @property
    def busy(self) -> bool:
        return self._done is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._lost()

    def close(self) -> None:
        self._lost = lambda: None
        if self._transport is not None:
            self._transport.close()

    def ask(self, path: str, keep: bool, done: Done) -> None:
        """Ask; `done` is called with the status, and the body where it is to be kept."""
        assert self._transport is not None
        self._done, self._keep = done, bytearray() if keep else None
        self._transport.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: crowd\r\nAccept: */*\r\n"
            "Accept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\n\r\n".encode()
        )

    def get_buffer(self, _sizehint: int) -> memoryview:
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        begin = 0
        if not self._left:
            self._head += _BUFFER[:nbytes]
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, begin = self._head[:end], end + 4 - (len(self._head) - nbytes)
            self._head = b""
            self._status = int(head[9:12])
            at = head.lower().find(b"\r\ncontent-length:")
            self._left = int(head[at + 17 :].split(b"\r\n", 1)[0])
        take = min(self._left, nbytes - begin)
        if self._keep is not None:
            self._keep += _BUFFER[begin : begin + take]
        self._left -= take
        if not self._left and self._done is not None:
            done, self._done = self._done, None
            done(self._status, bytes(self._keep or b""))


class Crowd:
    """All viewers, and what they saw."""

    def __init__(self, port: int, channel: str) -> None:
        self.port = port
        self.channel = channel
        self.seen: list[tuple[str, str, int, int]] = []
        self.wrong: Counter[str] = Counter()
        self.over = False
        self._read: dict[bytes, Listed | None] = {}

    def listed(self, body: bytes) -> Listed | None:
        """Read a playlist as it was sent, or remember what was read."""
        if body not in self._read:
            if len(self._read) > 256:
                self._read.clear()
            text = zlib.decompress(body, 31) if body[:2] == b"\x1f\x8b" else body
            self._read[body] = read(text.decode())
        return self._read[body]

    def lost(self) -> None:
        if not self.over:
            self.wrong["a connection was lost"] += 1


class Viewer:
    """Follows one rendition."""

    def __init__(self, crowd: Crowd, rendition: str) -> None:
        self._crowd = crowd
        self._rendition = rendition
        self._folder = f"/live/{crowd.channel}/{rendition}/"
        self._lines = (Line(crowd.lost), Line(crowd.lost))
        self._listed: Listed | None = None
        self._next = -1
        """Number of the part to fetch next."""

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        for line in self._lines:
            await loop.create_connection(lambda line=line: line, "127.0.0.1", self._crowd.port)  # type: ignore[misc]
        self._reload("")

    def close(self) -> None:
        for line in self._lines:
            line.close()

    def _reload(self, query: str) -> None:
        self._lines[0].ask(f"{self._folder}index.m3u8{query}", True, self._reloaded)

    def _reloaded(self, status: int, body: bytes) -> None:
        now = time.monotonic_ns()
        listed = self._crowd.listed(body) if status == 200 else None
        if listed is None:
            self._crowd.wrong[f"a playlist: {status}"] += 1
            return
        first = self._listed is None
        if not first:
            self._crowd.seen.append(("playlist", self._rendition, listed.number - 1, now))
        self._listed = listed
        self._next = listed.number if first else self._next
        self._reload(listed.query)
        self._fetch()

    def _fetch(self) -> None:
        at, line = self._listed, self._lines[1]
        if at is not None and self._next <= at.number and not line.busy:
            line.ask(f"{self._folder}{at.before}{self._next}{at.behind}", False, self._fetched)

    def _fetched(self, status: int, _body: bytes) -> None:
        now = time.monotonic_ns()
        if status == 200:
            self._crowd.seen.append(("part", self._rendition, self._next, now))
        else:
            self._crowd.wrong[f"a part: {status}"] += 1
        self._next += 1
        self._fetch()


async def watch(crowd: Crowd, renditions: list[str], count: int, seconds: float) -> None:
    """Have `count` viewers come, watch for `seconds` once all are there, and go."""
    viewers = [Viewer(crowd, renditions[n % len(renditions)]) for n in range(count)]
    for viewer in viewers:
        await viewer.start()
        await asyncio.sleep(RAMP_SECONDS / count)
    await asyncio.sleep(seconds)
    crowd.over = True
    for viewer in viewers:
        viewer.close()


def main() -> int:
    """Watch, then tell."""
    port, channel, count, seconds, file, *renditions = sys.argv[1:]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd = Crowd(int(port), channel)
    began = time.process_time()
    uvloop.run(watch(crowd, renditions, int(count), float(seconds)))
    cpu = time.process_time() - began
    Path(file).write_text("".join(f"{' '.join(map(str, row))}\n" for row in crowd.seen))
    print(json.dumps({"wrong": crowd.wrong, "cpu": cpu}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
