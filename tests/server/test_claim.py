"""One server per data directory."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server.app import Vitrine
from server.claim import claimed
from server.config import load
from tests.server.running import OPERATOR, running


def test_a_folder_is_held_once_and_let_go(tmp_path: Path) -> None:
    with (
        claimed(tmp_path),
        pytest.raises(OSError, match="another Vitrine server is running"),
        claimed(tmp_path),
    ):
        pass
    with claimed(tmp_path):
        pass


async def test_a_second_server_leaves_the_first_ones_broadcast_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with running(folder) as first:
        await first.channel()
        await first.server.shop.session_started("tea", "S1", 1_000)
        config = await asyncio.to_thread(load, None, {"server.data_dir": str(folder)})
        second = Vitrine(config, {"VITRINE_ADMIN_TOKEN": OPERATOR})
        with pytest.raises(OSError, match="another Vitrine server"):
            await second.start()
        told = (await first.ask("GET", "/api/v1/channels/tea/timeline")).json()
        assert (told["session"], told["ended_at"]) == ("S1", None)
    async with running(folder) as again:
        told = (await again.ask("GET", "/api/v1/channels/tea/timeline")).json()
        assert told["ended_at"] is not None
