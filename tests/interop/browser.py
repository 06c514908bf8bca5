"""A real Chromium for the browser tests: opens pages, reads the player, watches for complaints.

Playwright drives the system's Chromium. The pages' Content-Security-Policy stays in force, so
conditions are polled from here: what a page may not `eval`, its test may not either.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Response, async_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
PHONE = (390, 844)
DESKTOP = (1440, 900)
DOCK = (300, 700)
POLL_SECONDS = 0.1
DEADLINE_SECONDS = 30.0

_PLAYER = "document.querySelector('vitrine-player')"
_COUNT_STALLS = f"""() => {{
  const {{ video }} = {_PLAYER};
  window.vitrineStalls = 0;
  video.addEventListener('waiting', () => (window.vitrineStalls += 1));
}}"""
_FRAME = f"""async ([x, y, width, height]) => {{
  const player = {_PLAYER};
  const {{ video }} = player;
  const canvas = document.createElement('canvas');
  const mediaTime = await new Promise((resolve, reject) => {{
    const late = setTimeout(() => reject(new Error('no frame in 5 s')), 5000);
    video.requestVideoFrameCallback((_, frame) => {{
      clearTimeout(late);
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      canvas.getContext('2d').drawImage(video, 0, 0);
      resolve(frame.mediaTime);
    }});
  }});
  const box = [x * canvas.width, y * canvas.height, width * canvas.width, height * canvas.height];
  const {{ data }} = canvas.getContext('2d').getImageData(...box.map(Math.round));
  const sum = [0, 0, 0];
  for (let n = 0; n < data.length; n += 4) for (const c of [0, 1, 2]) sum[c] += data[n + c];
  return {{
    date: player.playback.position.dateAt(mediaTime),
    size: [canvas.width, canvas.height],
    colour: sum.map((value) => (4 * value) / data.length),
  }};
}}"""


@dataclass(frozen=True, slots=True)
class Frame:
    """One presented frame: its date on the PDT axis and the mean colour of a part of it."""

    date_ms: float
    width: int
    height: int
    colour: tuple[float, float, float]
    """Red, green, blue, 0..255."""


@dataclass
class Tab:
    """A page, and whatever it complained about: console errors, exceptions, failed answers.

    Without slots: Playwright writes on the owner of a bound method that listens.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on("response", self._answered)

    async def open(self, url: str) -> None:
        """Open a page. Raises on a time-out or when the server does not answer."""
        await self.page.goto(url, timeout=DEADLINE_SECONDS * 1000)

    async def until(self, expression: str, *, within: float = DEADLINE_SECONDS) -> Any:
        """Poll a JavaScript expression until it is truthy; give its value.

        Raises TimeoutError after `within` seconds, with the last value and all complaints.
        """
        end = time.monotonic() + within
        value = await self.page.evaluate(expression)
        while not value:
            if time.monotonic() > end:
                raise TimeoutError(f"{expression} stayed {value!r}; complaints: {self.complaints}")
            await asyncio.sleep(POLL_SECONDS)
            value = await self.page.evaluate(expression)
        return value

    async def plays(self, *, within: float = DEADLINE_SECONDS) -> None:
        """Wait until the picture moves, and count stalls from then on."""
        await self.until(f"{_PLAYER}?.dataset.phase === 'playing'", within=within)
        await self.until(f"{_PLAYER}.video.currentTime > 0", within=within)
        await self.page.evaluate(_COUNT_STALLS)

    async def stalls(self) -> int:
        """Count how often the picture waited for data since `plays`."""
        return int(await self.page.evaluate("window.vitrineStalls"))

    async def figures(self) -> dict[str, Any]:
        """Read Playback.figures(): latency, target, ahead, width, height, dropped, fault ..."""
        figures: dict[str, Any] = await self.page.evaluate(f"{_PLAYER}.playback.figures()")
        return figures

    async def playing_date(self) -> float | None:
        """Read the picture's date on the PDT axis, in UTC ms."""
        date: float | None = await self.page.evaluate(f"{_PLAYER}.playingDate")
        return date

    async def on_air(self) -> list[dict[str, Any]]:
        """Read what the player holds to be in the picture: parsed intervals, times in ms."""
        intervals: list[dict[str, Any]] = await self.page.evaluate(f"{_PLAYER}.onAir")
        return intervals

    async def frame(self, x: float, y: float, width: float, height: float) -> Frame:
        """Wait for the next presented frame; give its date and the mean colour of a rectangle.

        The rectangle is in fractions of the picture. Raises when no frame comes in 5 s.
        """
        found = await self.page.evaluate(_FRAME, [x, y, width, height])
        red, green, blue = found["colour"]
        wide, high = found["size"]
        return Frame(found["date"], wide, high, (red, green, blue))

    def spot(self, product: str) -> Locator:
        """Find the hot-spot over a product's card."""
        return self.page.locator(f'.spot[data-product="{product}"]')

    async def screenshot(self, path: Path) -> None:
        await self.page.screenshot(path=path)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")


@dataclass(frozen=True, slots=True)
class Chromium:
    """A running browser. Every tab is a visitor of its own: own cookies, own storage."""

    browser: Browser

    async def tab(self, size: tuple[int, int] = DESKTOP, *, calm: bool = False) -> Tab:
        """Open an empty tab of `size` CSS pixels; `calm` asks for reduced motion."""
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            reduced_motion="reduce" if calm else "no-preference",
        )
        return Tab(await context.new_page())


@asynccontextmanager
async def chromium() -> AsyncIterator[Chromium]:
    """Run Chromium. Raises FileNotFoundError, naming what is missing, when there is none."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise FileNotFoundError("Chromium is not installed: `make setup-test` installs it")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=path, headless=True, args=list(FLAGS)
        )
        try:
            yield Chromium(browser)
        finally:
            await browser.close()
