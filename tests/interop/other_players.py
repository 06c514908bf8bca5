"""Players that are not ours: two on a page of another site, two as programs, and what they say."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.helpers.senders import end
from tests.helpers.sight import Area
from tests.interop.browser import DESKTOP, POLL_SECONDS, Chromium, Tab

PACKAGES = Path(__file__).resolve().parents[2] / "player" / "node_modules"
SCRIPTS = {
    "shaka": "shaka-player/dist/shaka-player.compiled.js",
    "videojs": "video.js/dist/video.min.js",
}
FRAME_RATE = 30
PROGRAM_SECONDS = 60.0
WATCH_SECONDS = 60.0
"""How long a player may take beyond the time that is to be watched, on a busy machine."""

_PAGE = """<!doctype html><meta charset=utf-8><title>Another player</title>
<link rel=icon href="data:,">
<video id=video class=video-js muted width=640 height=360></video>
<script src="/{name}.js"></script>
<script>
const source = new URLSearchParams(location.search).get("source");
window.faults = [];
const fault = (text) => window.faults.push(text);
{script}
const video = document.querySelector("video");
video.addEventListener("error", () => fault(`video: ${{video.error?.message}}`));
</script>"""
_SHAKA = """
const player = new shaka.Player();
const tell = (at, { severity, category, code, data }) =>
  fault(`${at}: severity ${severity}, category ${category}, code ${code}: ${data}`);
player.addEventListener("error", ({ detail }) => tell("event", detail));
(async () => {
  await player.attach(document.querySelector("video"));
  await player.load(source);
  await document.querySelector("video").play();
})().catch((error) => (error.code ? tell("load", error) : fault(`load: ${error}`)));
"""
_VIDEOJS = """
const vhs = { overrideNative: true };
const native = { nativeAudioTracks: false, nativeVideoTracks: false, nativeTextTracks: false };
const player = videojs("video", { html5: { vhs, ...native } });
player.on("error", () => fault(`event: ${player.error().code} ${player.error().message}`));
player.src({ src: source, type: "application/vnd.apple.mpegurl" });
player.ready(() => player.play().catch((error) => fault(`play: ${error}`)));
"""
_PAGES = {"shaka": _SHAKA, "videojs": _VIDEOJS}

_VIDEO = "document.querySelector('video')"
_TOLD = f"""(() => {{
  const {{ played, currentTime, ended, videoHeight, error }} = {_VIDEO};
  let seconds = 0;
  for (let n = 0; n < played.length; n += 1) seconds += played.end(n) - played.start(n);
  return {{ seconds, at: currentTime, ended, height: videoHeight, faults: window.faults }};
}})()"""
_CUES = """Array.from(player.textTracks())
  .filter((track) => track.kind === "metadata" && track.label !== "segment-metadata")
  .flatMap((track) => Array.from(track.cues ?? []))
  .map(({ id, startTime, endTime, value }) => ({ id, startTime, endTime, data: value.data }))"""
_LIGHT = """async ([at, [left, top, wide, high]]) => {
  const video = document.querySelector("video");
  video.pause();
  await new Promise((done) => {
    video.addEventListener("seeked", done, { once: true });
    video.currentTime = at;
  });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [24, 8];
  const pen = canvas.getContext("2d");
  const [width, height] = [video.videoWidth, video.videoHeight];
  const box = [left * width, top * height, wide * width, high * height];
  pen.drawImage(video, ...box, 0, 0, 24, 8);
  const { data } = pen.getImageData(0, 0, 24, 8);
  let sum = 0;
  for (let n = 0; n < data.length; n += 4) sum += data[n] + data[n + 1] + data[n + 2];
  return sum / (24 * 8 * 3);
}"""
_FRAMES = re.compile(r"^frame=(\d+)", re.MULTILINE)
_CHECKSUMS = re.compile(r"^(\d+):(\d+):([\d.]+) [0-9a-f]{40}$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Watched:
    """What a page's player came to."""

    seconds: float
    """Media that was presented."""
    at: float
    ended: bool
    height: int
    faults: tuple[str, ...]
    """Its own error events, then the page's console and failed answers."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One attribute of a date range, as Video.js makes cues. Seconds of its own clock.

    It forgets the names of X- attributes: only the value tells which one it is.
    """

    id: str
    start: float
    end: float
    data: Any


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program came to."""

    status: int | None
    """None: it did not end by itself."""
    complaints: str
    output: str


@asynccontextmanager
async def another_site() -> AsyncIterator[str]:
    """Serve `/shaka` and `/videojs`, which play `?source=`; give the site's address.

    Raises FileNotFoundError when the players are not installed.
    """
    app = web.Application()
    for name, file in SCRIPTS.items():
        if not (path := PACKAGES / file).is_file():
            raise FileNotFoundError(f"{path} is missing: `make setup-test` installs it")
        script = await asyncio.to_thread(path.read_text, "utf-8")
        page = _PAGE.format(name=name, script=_PAGES[name])
        app.router.add_get(f"/{name}.js", _answers(script, "text/javascript"))
        app.router.add_get(f"/{name}", _answers(page, "text/html"))
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def opened(browser: Chromium, site: str, player: str, source: str) -> Tab:
    """Open a player's page on a stream."""
    tab = await browser.tab(DESKTOP)
    await tab.open(f"{site}/{player}?source={source}")
    return tab


async def watch(tab: Tab, seconds: float) -> Watched:
    """Let it play so many seconds of media, or until it fails or ends; tell what came of it."""
    until = time.monotonic() + seconds + WATCH_SECONDS
    while True:
        found = await told(tab)
        over = found.ended or found.faults or found.seconds >= seconds
        if over or time.monotonic() > until:
            return found
        await asyncio.sleep(POLL_SECONDS)


async def watch_the_end(tab: Tab, seconds: float) -> Watched:
    """Let it jump to so many seconds before the end and play to there; tell what came of it."""
    await tab.page.evaluate(f"{_VIDEO}.currentTime = {_VIDEO}.duration - {seconds}")
    return await watch(tab, WATCH_SECONDS)


async def told(tab: Tab) -> Watched:
    """Tell what came of it so far."""
    found = await tab.page.evaluate(_TOLD)
    faults = (*found["faults"], *tab.complaints)
    return Watched(found["seconds"], found["at"], found["ended"], found["height"], faults)


async def cues(tab: Tab) -> list[Cue]:
    """Give the cues that Video.js has made of date ranges, segments' own left out."""
    found = await tab.page.evaluate(_CUES)
    return [Cue(cue["id"], cue["startTime"], cue["endTime"], cue["data"]) for cue in found]


async def light(tab: Tab, at: float, area: Area) -> float:
    """Seek to `at`, in seconds of the player's clock; give an area's mean light, 0..255."""
    found: float = await tab.page.evaluate(_LIGHT, [at, list(area)])
    return found


async def ffmpeg_plays(url: str, seconds: float) -> Ran:
    """Have ffmpeg decode so much; any error ends it."""
    return await _run(
        "ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-xerror",
        "-i", url, "-t", str(seconds), "-progress", "pipe:1", "-f", "null", "-",
    )  # fmt: skip


async def gstreamer_plays_all(url: str) -> Ran:
    """Have GStreamer's playbin3 decode all of a stream as fast as it can."""
    return await _gstreamer(url, "checksumsink sync=false", "fakesink sync=false")


async def gstreamer_plays(url: str, pictures: int) -> Ran:
    """Have playbin3 show so many pictures when it is their time."""
    sink = f"fakesink num-buffers={pictures}"
    return await _gstreamer(url, f"{sink} sync=true", f"{sink} sync=true")


def ffmpeg_pictures(ran: Ran) -> int:
    """Count what ffmpeg decoded."""
    return int(_FRAMES.findall(ran.output)[-1])


def gstreamer_dates(ran: Ran) -> list[float]:
    """Give when each picture that playbin3 decoded was to be shown, in seconds."""
    found = _CHECKSUMS.findall(ran.output)
    return [3600 * int(hour) + 60 * int(minute) + float(rest) for hour, minute, rest in found]


async def _gstreamer(url: str, pictures: str, sound: str) -> Ran:
    return await _run(
        "gst-launch-1.0", "-v", "playbin3", f"uri={url}",
        f"video-sink={pictures}", f"audio-sink={sound}",
    )  # fmt: skip


def _answers(text: str, content_type: str) -> Any:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type=content_type)

    return answer


async def _run(*command: str) -> Ran:
    """Run a program to its end, or to the end of our patience."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    both = asyncio.ensure_future(process.communicate())
    done, _ = await asyncio.wait([both], timeout=PROGRAM_SECONDS)
    status = process.returncode if done else None
    await end(process)
    out, complaints = await both
    return Ran(status, complaints.decode("utf-8", "replace"), out.decode("utf-8", "replace"))
