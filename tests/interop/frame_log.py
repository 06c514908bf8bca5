"""A log, kept inside a page, of every frame that the player presents.

One entry a frame: its date, which hot-spots lie over it, what is in the picture where a card
would stand. Read from outside; the page's own policy stays in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.helpers.sight import Area
from tests.interop.browser import Tab

_WRITE = """([left, top, width, height]) => {
  const player = document.querySelector('vitrine-player');
  const { video, playback } = player;
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [24, 8];
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  const log = (window.vitrineLog = { frames: [], phases: [], stalls: [] });
  video.addEventListener('waiting', () => log.stalls.push(playback.figures()));
  playback.addEventListener('phase', () => log.phases.push(playback.phase));
  const frame = (_, { mediaTime }) => {
    const [wide, high] = [video.videoWidth, video.videoHeight];
    pen.drawImage(video, left * wide, top * high, width * wide, height * high, 0, 0, 24, 8);
    const { data } = pen.getImageData(0, 0, 24, 8);
    let sum = 0;
    for (let n = 0; n < data.length; n += 4) sum += data[n] + data[n + 1] + data[n + 2];
    const spots = [...player.shadowRoot.querySelectorAll('.spot')].map((s) => s.dataset.product);
    log.frames.push([playback.position.dateAt(mediaTime), mediaTime, sum / (24 * 8 * 3), spots]);
    if (video.isConnected) video.requestVideoFrameCallback(frame);
  };
  video.requestVideoFrameCallback(frame);
}"""


@dataclass(frozen=True)
class Shown:
    """One frame that the player presented."""

    date_ms: float
    media_time: float
    light: float
    """Mean of red, green and blue in the area."""
    spots: tuple[str, ...]
    """Products with a hot-spot when the frame was presented."""


async def begin_log(tab: Tab, area: Area) -> None:
    """Log every frame from now on, and the light in `area` of it."""
    await tab.page.evaluate(_WRITE, list(area))


async def frames(tab: Tab) -> list[Shown]:
    """Give the frames so far."""
    found = await tab.page.evaluate("window.vitrineLog.frames")
    return [Shown(date, at, light, tuple(spots)) for date, at, light, spots in found]


async def stalls(tab: Tab) -> list[dict[str, Any]]:
    """Give the player's figures at each moment at which it ran out of picture."""
    found: list[dict[str, Any]] = await tab.page.evaluate("window.vitrineLog.stalls")
    return found


async def phases(tab: Tab) -> list[str]:
    """Give the phases that the player went through since the log began."""
    found: list[str] = await tab.page.evaluate("window.vitrineLog.phases")
    return found
