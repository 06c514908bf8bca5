"""Live playlists and segments from the origin, against nginx with the same bytes in memory.

One process each, one core each, wrk as the client; both serve in turn, so that a busy
machine is busy for both. Ours is what `vitrine serve` has before its streams: the lane, the
application with its middlewares behind it, figures. Blocked reloads have no counterpart in nginx:
they are given as a rate, every waiter answered once per part.

Run from the repository's root: python -m bench.origin
"""

from __future__ import annotations

import asyncio
import gzip
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import uvloop
from aiohttp import web

from bench.report import BenchError, Bound, Effort, Goal, Row, alone, median, note
from bench.serving import free_port
from server import log
from server.clock import SystemClock
from server.hls.edge import Edge
from server.hls.window import Window
from server.http.hls import add_routes
from server.http.lane import Lane, listen
from server.http.metrics import Metrics
from server.http.middleware import add_headers, middlewares
from server.serve import settle
from tests.server.hls.show import PER_SEGMENT, Show

SECONDS = 3
CONNECTIONS = 64
WAITERS = 500
SEGMENT_BYTES = 500_000
PLAYLIST = "/live/bench/720p/index.m3u8"
SEGMENT = "/live/bench/720p/bench-14.m4s"
PART = f"/live/bench/720p/bench-p{15 * PER_SEGMENT}.m4s"
REQUESTS = Goal(Bound.AT_LEAST, 0.5)
BYTES = Goal(Bound.AT_LEAST, 0.9)
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  open_file_cache max=100; open_file_cache_valid 60s; gzip_static on;
  types {{ application/vnd.apple.mpegurl m3u8; video/mp4 m4s; }}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/www;
    add_header Access-Control-Allow-Origin *; }}
}}
"""
# The report at the playlist's end tells where the next part will be: ask for that.
BLOCKING = """
local path = "{path}"
local query = ""
request = function() return wrk.format("GET", path .. query) end
response = function(status, headers, body)
  local msn, part = string.match(body, "LAST%-MSN=(%d+),LAST%-PART=(%d+)")
  if msn then query = "?_HLS_msn=" .. msn .. "&_HLS_part=" .. (part + 1) end
end
"""


class Bench:
    """An origin with one channel that is always on."""

    def __init__(self) -> None:
        self.show = Show(Window("bench"))
        self.show.epoch()
        self._body = secrets.token_bytes(SEGMENT_BYTES // PER_SEGMENT)
        for _ in range(15 * PER_SEGMENT + 3):
            self.part()
        self._edge = Edge(self.show.window, SystemClock())

    def edge(self, _channel_id: str) -> Edge | None:
        return self._edge

    def part(self) -> None:
        for track in self.show.tracks:
            last = self.show.index == PER_SEGMENT - 1
            self.show.window.add(self.show.made(track.name, data=self._body, last=last))
        self.show.part(without=tuple(track.name for track in self.show.tracks))

    async def go_on(self) -> None:
        """Publish a part whenever everyone waits for it."""
        while True:
            await asyncio.sleep(0.001)
            if self._edge.waiting >= WAITERS:
                self.part()
                self._edge.published()


def serve(port: int) -> None:
    """Run the origin until it is ended."""

    async def run() -> None:
        bench, metrics = Bench(), await asyncio.to_thread(Metrics)
        app = web.Application(middlewares=middlewares(metrics))
        app.on_response_prepare.append(add_headers)
        add_routes(app, bench)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await runner.setup()
        await listen(Lane(bench, metrics), runner, "127.0.0.1", port, 75.0)
        settle()
        await bench.go_on()

    log.configure("warning", "console")
    uvloop.run(run())


def measure(effort: Effort) -> list[Row]:
    """Measure answers a second as ratios to nginx's. Raises BenchError."""
    missing = [name for name in ("nginx", "wrk") if shutil.which(name) is None]
    if missing:
        raise BenchError(f"install first: {', '.join(missing)}")
    ports = free_port(), free_port()
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory) as name:
        folder = Path(name)
        # nginx drops its rights: what it serves must be readable.
        folder.chmod(0o755)
        command = [sys.executable, "-m", "bench.origin", str(ports[0])]
        with subprocess.Popen(command) as ours:
            try:
                _mirror(folder, ports)
                with subprocess.Popen(["nginx", "-c", f"{folder}/nginx.conf"]) as theirs:
                    try:
                        _get(ports[1], PLAYLIST)
                        return _compare(folder, ports, effort.rounds)
                    finally:
                        theirs.terminate()
            finally:
                ours.terminate()


def _mirror(folder: Path, ports: tuple[int, int]) -> None:
    """Give nginx the bytes that the origin serves."""
    for path in (PLAYLIST, SEGMENT, PART):
        file = folder / "www" / path.removeprefix("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_get(ports[0], path))
        if path == PLAYLIST:
            zipped = file.with_suffix(".m3u8.gz")
            zipped.write_bytes(gzip.compress(file.read_bytes(), 6))
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=ports[1]))


def _compare(folder: Path, ports: tuple[int, int], rounds: int) -> list[Row]:
    rows: list[Row] = []
    part = SEGMENT_BYTES // PER_SEGMENT
    for what, path, coding, goal in (
        ("playlist", PLAYLIST, "identity", None),
        ("playlist, gzip", PLAYLIST, "gzip", REQUESTS),
        (f"part of {part // 1000} kB", PART, "identity", None),
        (f"segment of {SEGMENT_BYTES // 1000} kB", SEGMENT, "identity", BYTES),
    ):
        rates: list[list[float]] = [[], []]
        for _ in range(rounds):
            for side, port in enumerate(ports):
                rates[side].append(_rate(port, path, CONNECTIONS, f"Accept-Encoding: {coding}"))
        ours, theirs = (median(each) for each in rates)
        note(f"{what}: {ours:.0f}/s, nginx {theirs:.0f}/s")
        conditions = f"nginx, from memory; 1 process each, {CONNECTIONS} connections"
        rows.append(Row(f"origin, {what}", ours / theirs, "x", conditions, goal))
    script = folder / "blocking.lua"
    script.write_text(BLOCKING.format(path=PLAYLIST))
    rate = _rate(ports[0], PLAYLIST, WAITERS, "Accept-Encoding: identity", "-s", str(script))
    rows.append(
        Row("origin, blocked reloads", rate, "/s", f"{WAITERS} waiting, each part wakes all")
    )
    return rows


def _rate(port: int, path: str, connections: int, header: str, *more: str) -> float:
    """Measure answers a second. Any answer that is not a success is an error."""
    load = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "-H", header, *more]
    told = subprocess.run(
        [*load, f"http://127.0.0.1:{port}{path}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS + 30,
    ).stdout
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", told)
    if rate is None or "Non-2xx" in told:
        raise BenchError(f"wrk: {told}")
    return float(rate[1])


def _get(port: int, path: str, patience: float = 15) -> bytes:
    """Fetch a path, waiting for the server to come up."""
    deadline = time.monotonic() + patience
    while True:
        try:
            asked = Request(f"http://127.0.0.1:{port}{path}")
            with urlopen(asked, timeout=5) as answer:  # noqa: S310
                return bytes(answer.read())
        except URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].isdecimal():
        serve(int(sys.argv[1]))
    else:
        alone(measure)
