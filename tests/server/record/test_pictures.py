"""Posters and thumbnails, made by the real process."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray
from structlog.testing import capture_logs

from server.errors import NotFound
from server.instant import rfc3339
from server.record.disk import LocalDisk
from server.record.errors import StorageDown
from server.record.local import LocalStorage
from server.record.pictures import POSTER, STORYBOARD, TRIES, Pauses, Pictures, Stage
from server.record.storage import TIMELINE, home
from tests.helpers.children import darkrooms
from tests.helpers.clips import read_number
from tests.helpers.eventually import eventually
from tests.helpers.recorded import CHANNEL, SESSION, Recorded
from tests.server.record.conftest import OneShow

SECONDS = 60.0
SOON = Pauses(tries=(0.01, 0.01), ending=5.0, poll=0.01)


@pytest_asyncio.fixture
async def pictures(shows: OneShow) -> AsyncIterator[Pictures]:
    made = Pictures(shows, SOON)
    made.start()
    yield made
    await made.close()


def image(data: bytes) -> NDArray[Any]:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert found is not None
    return found


async def made(pictures: Pictures) -> str:
    """Wait until the pictures are made; give the storyboard."""
    await eventually(lambda: pictures.ask(CHANNEL, SESSION) is not Stage.MAKING, SECONDS)
    data = await pictures.read(CHANNEL, SESSION, STORYBOARD)
    assert isinstance(data, bytes)
    return data.decode()


async def test_every_thumbnail_is_the_picture_of_its_time(
    pictures: Pictures, shows: OneShow
) -> None:
    board = await made(pictures)
    named = [line for line in board.split("\n") if "#xywh=" in line]
    assert len(named) == 3
    sheet = await pictures.read(CHANNEL, SESSION, "storyboard-0.jpg")
    assert isinstance(sheet, bytes)
    pixels = image(sheet)
    found = []
    for line in named:
        x, y, width, height = map(int, line.partition("#xywh=")[2].split(","))
        assert (width, height) == (192, 108)
        found.append(read_number(pixels[y : y + height, x : x + width]))
    assert found == [0, 120, 1060]
    times = [line for line in board.split("\n") if "-->" in line]
    assert times[0] == "00:00:00.000 --> 00:00:04.000"
    assert times[2].startswith("00:00:08.000 --> 00:00:10")


async def test_the_poster_is_the_first_picture_with_a_card(
    pictures: Pictures, shows: OneShow
) -> None:
    start = shows.held.started_ms
    pin = {"id": "a", "product_id": "tea", "start": rfc3339(start + 1_500), "end": None}
    key = f"{home(CHANNEL, SESSION)}/{TIMELINE}"
    await shows.storage.write(key, json.dumps({"intervals": [pin]}).encode())
    await made(pictures)
    data = await pictures.read(CHANNEL, SESSION, POSTER)
    assert isinstance(data, bytes)
    pixels = image(data)
    assert pixels.shape == (180, 320)
    assert read_number(pixels) == 120


async def test_what_is_not_made_yet_is_said_to_be_being_made(
    pictures: Pictures, shows: OneShow
) -> None:
    assert await pictures.read(CHANNEL, SESSION, POSTER) is Stage.MAKING
    await made(pictures)
    assert isinstance(await pictures.read(CHANNEL, SESSION, POSTER), bytes)


async def test_a_show_that_has_just_ended_is_waited_for(shows: OneShow) -> None:
    shows.on_air = 3
    pictures = Pictures(shows, SOON)
    pictures.start()
    await pictures.session_ended(CHANNEL, SESSION, 0)
    assert "#xywh=" in await made(pictures)
    await pictures.close()


async def test_a_darkroom_that_is_killed_is_tried_again_and_harms_nothing(
    pictures: Pictures, shows: OneShow
) -> None:
    pictures.ask(CHANNEL, SESSION)
    await eventually(lambda: len(darkrooms()) == 1, SECONDS)
    os.kill(darkrooms()[0].pid, signal.SIGKILL)
    assert "#xywh=" in await made(pictures)
    await eventually(lambda: darkrooms() == [], SECONDS)


class Removing(LocalStorage):
    """A disk on which the recording is removed just before its sheet, which is written and lost."""

    shows: OneShow
    at = 1

    async def write(self, key: str, data: bytes) -> None:
        if key.endswith("storyboard-0.jpg"):
            self.at -= 1
            if self.at == 0:
                self.shows.removed = True
                await self.remove(home(CHANNEL, SESSION))
            await super().write(key, data)
            raise StorageDown("The disk did not answer in time.")
        await super().write(key, data)


@pytest.mark.parametrize("attempt", [1, TRIES], ids=["first", "last"])
async def test_of_a_recording_that_is_removed_meanwhile_nothing_stays(
    tmp_path: Path, show: Recorded, attempt: int
) -> None:
    storage = Removing(LocalDisk(tmp_path))
    await show.put(storage)
    storage.shows, storage.at = OneShow(storage, show.recording), attempt
    pictures = Pictures(storage.shows, SOON)
    pictures.start()
    with capture_logs() as logs:
        pictures.ask(CHANNEL, SESSION)
        await eventually(lambda: any(line["event"] == "no pictures" for line in logs), SECONDS)
    assert await storage.items("recordings") == ()
    await pictures.close()
    await storage.close()


async def test_after_a_few_tries_it_is_given_up(
    shows: OneShow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.record.darkroom.MODULE", "transcode.no_such_module")
    pictures = Pictures(shows, SOON)
    pictures.start()
    pictures.ask(CHANNEL, SESSION)
    await eventually(lambda: pictures.ask(CHANNEL, SESSION) is Stage.FAILED, SECONDS)
    assert await pictures.read(CHANNEL, SESSION, POSTER) is Stage.FAILED
    await pictures.close()


async def test_lost_segments_are_left_out_and_broken_ones_stay_dark(
    pictures: Pictures, shows: OneShow
) -> None:
    segments = shows.held.renditions["90p"]
    await shows.storage.remove(shows.held.key("90p", segments[0].name))
    key = shows.held.key("90p", segments[2].name)
    data = await shows.storage.read(key)
    await shows.storage.write(key, data[:700] + bytes(len(data) - 700))
    board = await made(pictures)
    assert len([line for line in board.split("\n") if "#xywh=" in line]) == 2


async def test_a_poster_that_cannot_be_decoded_costs_the_poster_only(
    pictures: Pictures, shows: OneShow
) -> None:
    for segment in shows.held.renditions["180p"]:
        key = shows.held.key("180p", segment.name)
        data = await shows.storage.read(key)
        media = data.index(b"mdat") + 4
        await shows.storage.write(key, data[:media] + bytes(len(data) - media))
    assert "#xywh=" in await made(pictures)
    with pytest.raises(NotFound):
        await pictures.read(CHANNEL, SESSION, POSTER)


async def test_a_show_that_took_long_to_end_is_made_when_it_is_asked_for(shows: OneShow) -> None:
    shows.on_air = 1_000
    pictures = Pictures(shows, replace(SOON, ending=0.05))
    pictures.start()
    with capture_logs() as logs:
        await pictures.session_ended(CHANNEL, SESSION, 0)
        await eventually(lambda: any(line["event"] == "no pictures" for line in logs))
    assert pictures.ask(CHANNEL, SESSION) is Stage.MAKING
    await pictures.close()


async def test_a_show_without_pictures_is_done_at_once(shows: OneShow) -> None:
    heard = {"audio": shows.held.renditions["audio"]}
    silent = replace(shows.held, renditions=heard)
    pictures = Pictures(OneShow(shows.storage, silent), SOON)
    pictures.start()
    assert await made(pictures) == "WEBVTT\n"
    await pictures.close()
