"""One server per data directory."""

from __future__ import annotations

import asyncio
import fcntl
from pathlib import Path
from threading import Timer

import pytest

from server.address import Addresses
from server.app import Vitrine
from server.claim import FILE, claimed
from server.claim import running as running_on
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


def test_who_looks_hinders_nobody(tmp_path: Path) -> None:
    with claimed(tmp_path) as claim:
        claim.tell(Addresses("http://here:1", "rtmp://here:2/live"))
    with (tmp_path / FILE).open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        leaving = Timer(0.05, fcntl.flock, (looking, fcntl.LOCK_UN))
        leaving.start()
        with claimed(tmp_path):
            assert running_on(tmp_path) is None, "an earlier server's word is gone"
        leaving.join()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b'{"site": "x"}', b"\xff"])
def test_a_file_that_says_nothing_is_nobodys_address(tmp_path: Path, content: bytes) -> None:
    assert running_on(tmp_path) is None
    with claimed(tmp_path):
        (tmp_path / FILE).write_bytes(content)
        assert running_on(tmp_path) is None


async def test_a_server_leaves_its_addresses_while_it_runs(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with running(folder) as site:
        told = await asyncio.to_thread(running_on, folder)
        assert told is not None
        assert told.site.endswith(f":{site.server.http_port}")
        assert told.rtmp.endswith(f":{site.server.rtmp.port}/live")
    assert await asyncio.to_thread(running_on, folder) is None


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
