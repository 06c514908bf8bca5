"""What publishes RTMP as ordinary HLS today: the reference for the time to a first picture.

nginx with its RTMP module where Debian's libnginx-mod-rtmp is installed, else ffmpeg's own
HLS muxer behind nginx. Neither transcodes; both cut segments of 2 s, the anchor's key
picture interval. asyncio.
"""

from __future__ import annotations

import asyncio
import contextlib
import grp
import os
import pwd
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from bench.report import BenchError
from bench.serving import end, free_port

MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
PLAYER = Path(__file__).parent.parent / "player/node_modules/hls.js/dist/hls.light.min.mjs"
SEGMENT_SECONDS = 2
STREAM = "show"
_NGINX = """
{module} user {user} {group};
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  types {{ text/html html; text/javascript mjs; application/vnd.apple.mpegurl m3u8;
    video/mp2t ts; }}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{http}; root {folder}/www; add_header Cache-Control no-cache; }}
}}
"""
_RTMP = """
rtmp {{ server {{ listen 127.0.0.1:{rtmp}; chunk_size 4096;
  application live {{ live on; hls on; hls_path {folder}/www/hls;
    hls_fragment {seconds}s; hls_playlist_length 12s; }} }} }}
"""
_PAGE = """<!doctype html><meta charset="utf-8"><video muted autoplay playsinline></video>
<script type="module">
import Hls from "/hls.mjs";
const source = "/hls/show.m3u8";
const there = async () => (await fetch(source, { cache: "no-store" })).ok;
while (!(await there())) await new Promise((on) => setTimeout(on, 100));
const hls = new Hls();
hls.loadSource(source);
hls.attachMedia(document.querySelector("video"));
document.querySelector("video").play();
</script>
"""


@dataclass(frozen=True, slots=True)
class Segmenter:
    """A running reference."""

    name: str
    rtmp: str
    """Where to publish."""
    url: str
    playlist: str
    """Path of the media playlist."""
    page: str
    """Path of a page that plays it with hls.js as soon as it is there."""
    pid: int
    """Of nginx, whose one worker process does the work."""
    takes_rtmp: bool
    """Whether nginx itself does, by its module."""


@contextlib.asynccontextmanager
async def segmenting(folder: Path) -> AsyncIterator[Segmenter]:
    """Run the reference for one broadcast in a `folder` of its own. BenchError without nginx."""
    http, rtmp = free_port(), free_port()
    own = _furnish(folder, http, rtmp)
    target = f"rtmp://127.0.0.1:{rtmp}/live/{STREAM}"
    name = "nginx-rtmp" if own else "ffmpeg -f hls"
    async with contextlib.AsyncExitStack() as running:
        nginx = await running.enter_async_context(
            _running("nginx", "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf")
        )
        if not own:
            await running.enter_async_context(_running(*_muxer(target, folder / "www/hls")))
        await _listening(http)
        # ffmpeg takes one connection only: a probe would be it.
        await (_listening(rtmp) if own else asyncio.sleep(1))
        yield Segmenter(
            f"{name}, {SEGMENT_SECONDS} s segments, no transcoding, hls.js",
            target, f"http://127.0.0.1:{http}", f"/hls/{STREAM}.m3u8", "/index.html",
            nginx.pid, own,
        )  # fmt: skip


def _furnish(folder: Path, http: int, rtmp: int) -> bool:
    """Write what nginx needs; tell whether it takes RTMP itself."""
    if shutil.which("nginx") is None:
        raise BenchError("nginx is not installed")
    own = MODULE.exists()
    (folder / "www/hls").mkdir(parents=True)
    # nginx may read it as another user.
    folder.parent.chmod(0o755)
    shutil.copy(PLAYER, folder / "www/hls.mjs")
    (folder / "www/index.html").write_text(_PAGE)
    text = _NGINX.format(
        module=f"load_module {MODULE};" if own else "",
        user=pwd.getpwuid(os.getuid()).pw_name,
        group=grp.getgrgid(os.getgid()).gr_name,
        folder=folder,
        http=http,
    )
    if own:
        text += _RTMP.format(rtmp=rtmp, folder=folder, seconds=SEGMENT_SECONDS)
    (folder / "nginx.conf").write_text(text)
    return own


def _muxer(target: str, folder: Path) -> list[str]:
    return [
        "ffmpeg", "-nostdin", "-loglevel", "error", "-listen", "1", "-i", target, "-c", "copy",
        "-f", "hls", "-hls_time", str(SEGMENT_SECONDS), "-hls_flags", "delete_segments",
        str(folder / f"{STREAM}.m3u8"),
    ]  # fmt: skip


@contextlib.asynccontextmanager
async def _running(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(*command)
    try:
        yield process
    finally:
        await end(process)


async def _listening(port: int, patience: float = 10.0) -> None:
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            if asyncio.get_running_loop().time() > deadline:
                raise BenchError(f"nobody listens on port {port}") from error
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
