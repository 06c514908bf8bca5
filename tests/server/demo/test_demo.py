"""The demo's pictures and sounds are what they should be; its show goes on the air."""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from PIL import Image

from server.demo.backdrop import HEIGHT, WIDTH, Backdrop
from server.demo.darkroom import product_picture, scene_picture
from server.demo.goods import GOODS, Good
from server.demo.tones import LOOP_SECONDS, SAMPLE_RATE, Tones

NOON_MS = 1_767_268_800_000


@pytest.mark.parametrize("good", GOODS, ids=lambda good: good.id)
def test_each_product_stands_out_from_its_background(good: Good) -> None:
    with Image.open(io.BytesIO(product_picture(good, 64))) as opened:
        picture = np.asarray(opened.convert("RGB"), np.float32)
    assert picture.shape == (64, 64, 3)
    corner = picture[:8, :8].mean(axis=(0, 1))
    apart = np.abs(picture - corner).max(axis=2) > 30
    assert apart[16:52, 12:52].mean() > 0.3
    assert apart[:8].mean() < 0.4


def test_products_differ_and_two_are_on_sale() -> None:
    assert len({good.id for good in GOODS}) == 5
    assert sum(good.sale_price is not None for good in GOODS) == 2
    assert any(re.search(r"[\u4e00-\u9fff]", good.title) for good in GOODS)
    assert all(good.sale_price is None or good.sale_price < good.price for good in GOODS)


def test_the_scene_knows_where_nothing_stands() -> None:
    with Image.open(io.BytesIO(scene_picture(128, 72))) as opened:
        assert opened.mode == "RGBA"
        empty = np.asarray(opened)[:, :, 3] > 128
    assert empty[:10].mean() > 0.9
    assert 0.1 < (~empty).mean() < 0.6


def test_frames_move_and_repeat_for_the_same_instant(tmp_path: Path) -> None:
    backdrop = Backdrop(tmp_path / "none.png")
    backdrop.look(NOON_MS / 1000)
    one, again = backdrop.frame(NOON_MS), backdrop.frame(NOON_MS)
    assert one.shape == (HEIGHT * 3 // 2, WIDTH)
    assert np.array_equal(one, again)
    later = backdrop.frame(NOON_MS + 33)
    assert not np.array_equal(one[30:114, 870:], later[30:114, 870:])  # the clock


def test_the_bell_is_on_the_second() -> None:
    tones = Tones()
    loop = tones.samples(NOON_MS * SAMPLE_RATE // 1000, LOOP_SECONDS * SAMPLE_RATE)
    assert loop.dtype == np.float32
    assert np.abs(loop).max() < 0.5
    for second in range(LOOP_SECONDS):
        begin = second * SAMPLE_RATE
        struck = np.abs(loop[:, begin : begin + 2400]).max()
        faded = np.abs(loop[:, begin + 40_000 : begin + 48_000]).max()
        assert struck > 1.5 * faded
    assert np.array_equal(loop[:, :99], tones.samples(LOOP_SECONDS * SAMPLE_RATE, 99))


@pytest.mark.interop
async def test_the_demo_goes_on_the_air_and_ends_in_order(tmp_path: Path) -> None:
    options = ("--data-dir", str(tmp_path / "data"), "--http-port", "0", "--rtmp-port", "0")
    command = (sys.executable, "-m", "server", "demo", "--no-browser", *options)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env={**os.environ}
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            line = ""
            while "watch" not in line or "http" not in line:
                line = (await process.stdout.readline()).decode()
            base = line.split()[1].removesuffix("/watch/demo")
            await _until_live(base)
        process.terminate()
        async with asyncio.timeout(30):
            rest, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, rest.decode()
    assert "Traceback" not in rest.decode()


async def _until_live(base: str) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        while True:
            async with session.get(f"{base}/api/v1/channels/demo") as answer:
                channel = await answer.json()
            if channel["state"] == "live" and channel["renditions"]:
                async with session.get(f"{base}/live/demo/index.m3u8") as playlist:
                    if playlist.status == 200:
                        assert "RESOLUTION=1280x720" in await playlist.text()
                        return
            await asyncio.sleep(0.2)
