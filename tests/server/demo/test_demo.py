"""The demo's pictures and sounds are what they should be; its show goes on the air."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from server.demo.backdrop import Backdrop
from server.demo.darkroom import EMPTY, HEIGHT, PRINTS, SCENE, WIDTH, product_picture, scene
from server.demo.goods import GOODS, Good
from server.demo.tones import LOOP_SECONDS, SAMPLE_RATE, Tones
from tests.helpers.senders import ffmpeg_size, sending

NOON_MS = 1_767_268_800_000


def seen(data: bytes | Path, side: tuple[int, int]) -> NDArray[np.float32]:
    with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data) as opened:
        return np.asarray(opened.convert("RGB").resize(side, Image.Resampling.BOX), np.float32)


@pytest.mark.parametrize("good", GOODS, ids=lambda good: good.id)
def test_each_print_shows_its_product(good: Good) -> None:
    traced = seen(product_picture(good, 64), (32, 32))
    printed = seen(PRINTS / f"{good.id}.jpg", (32, 32))
    assert np.abs(traced - printed).mean() < 5
    for other in GOODS:
        if other is not good:
            apart = np.abs(traced - seen(PRINTS / f"{other.id}.jpg", (32, 32))).mean()
            assert apart > 10, other.id


@pytest.mark.parametrize("good", GOODS, ids=lambda good: good.id)
def test_each_product_stands_out_from_its_background(good: Good) -> None:
    picture = seen(PRINTS / f"{good.id}.jpg", (64, 64))
    apart = np.abs(picture - picture[:8, :8].mean(axis=(0, 1))).max(axis=2) > 30
    assert apart[16:52, 12:52].mean() > 0.3
    assert apart[:8].mean() < 0.4


def test_products_differ_and_two_are_on_sale() -> None:
    assert len({good.id for good in GOODS}) == 5
    assert sum(good.sale_price is not None for good in GOODS) == 2
    assert any(re.search(r"[\u4e00-\u9fff]", good.title) for good in GOODS)
    assert all(good.sale_price is None or good.sale_price < good.price for good in GOODS)


def test_the_scene_is_printed_with_where_nothing_stands() -> None:
    traced = scene(128, 72)
    printed = seen(PRINTS / SCENE, (128, 72))[:, :, ::-1]
    assert np.abs(traced[:, :, :3] - printed).mean() < 6
    empty = seen(PRINTS / EMPTY, (128, 72))[:, :, 0] > 128
    assert empty[:10].mean() > 0.9
    assert (empty == (traced[:, :, 3] > 128)).mean() > 0.95


def test_frames_move_and_repeat_for_the_same_instant() -> None:
    backdrop = Backdrop()
    one, again = backdrop.frame(NOON_MS), backdrop.frame(NOON_MS)
    assert one.shape == (HEIGHT * 3 // 2, WIDTH)
    assert np.array_equal(one, again)
    later = backdrop.frame(NOON_MS + 33)
    assert not np.array_equal(one[30:114, 870:], later[30:114, 870:])  # the clock
    calm = np.abs(one[500:700, :400].astype(int) - later[500:700, :400]).max()
    assert calm < 12  # where cards are drawn


def test_a_missing_print_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="scene"):
        Backdrop(tmp_path)


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
            while "RTMP" not in line:
                line = (await process.stdout.readline()).decode()
            key = json.loads((tmp_path / "data/demo/keys.json").read_text())["stream_key"]
            await _until_live(base, "1280x720")
            async with sending(*ffmpeg_size(f"{line.split()[1]}/{key}", 320, 180)):
                await _until_live(base, "320x180")
            await _until_live(base, "1280x720")
        process.terminate()
        async with asyncio.timeout(30):
            rest, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, rest.decode()
    assert "Traceback" not in rest.decode()
    assert "you are on the air" in rest.decode()
    assert "starting another" not in rest.decode()
    # A guest's takeover is told, an orderly end is none.
    assert "lost its connection" not in rest.decode().rpartition("you are on the air")[2]


async def _until_live(base: str, size: str) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        while True:
            async with session.get(f"{base}/api/v1/channels/demo") as answer:
                channel = await answer.json()
            if channel["state"] == "live" and channel["renditions"]:
                async with session.get(f"{base}/live/demo/index.m3u8") as playlist:
                    if f"RESOLUTION={size}" in await playlist.text():
                        return
            await asyncio.sleep(0.2)
