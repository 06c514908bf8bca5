"""`vitrine playback sign`: a token for a session opens that session, and only one that there is."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server.channel import Session
from server.cli import app
from server.cli_store import on_store
from server.config import load
from tests.server.http.test_replay import SESSION, SETTINGS, record
from tests.server.running import Client, running

LIVE = "01KE00000000000000000000BB"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with a signed channel: one recording, and a session on the air."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("VITRINE_")]:
        monkeypatch.delenv(name)

    async def make(site: Client) -> None:
        await site.channel()
        await record(site)

    _beside(tmp_path / "data", make)
    assert shell(tmp_path / "data", "mode", "tea", "signed").exit_code == 0
    return tmp_path / "data"


def _beside(folder: Path, act: Callable[[Client], Awaitable[None]]) -> None:
    async def work() -> None:
        async with running(folder, SETTINGS) as site:
            await act(site)

    asyncio.run(work())


def shell(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["playback", *words, "--data-dir", str(folder)])


def test_a_token_for_an_ended_session_comes_with_the_addresses_of_its_replay(folder: Path) -> None:
    answer = shell(folder, "sign", "tea", "--session", SESSION, "--json")
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    token = told["token"]
    assert told["hls_url"].endswith(f"/replay/tea/~{token}/{SESSION}/index.m3u8")
    assert told["watch_url"].endswith(f"/replay/tea/{SESSION}/?token={token}")

    async def ask(site: Client) -> None:
        for url in (told["hls_url"], told["watch_url"]):
            path = "/" + url.split("/", 3)[3]
            assert (await site.ask("GET", path, token=None)).status == 200, path

    _beside(folder, ask)


def test_a_token_for_what_is_on_the_air_or_for_all_comes_with_the_live_addresses(
    folder: Path,
) -> None:
    config = load(None, {"server.data_dir": str(folder)})
    on_store(config, lambda store: store.open_session("tea", Session(LIVE, 1_000)))
    for words in ((), ("--session", LIVE)):
        answer = shell(folder, "sign", "tea", *words)
        assert answer.exit_code == 0, answer.output
        assert "/live/tea/~v1.tea." in answer.stdout
        assert "/watch/tea?token=" in answer.stdout


def test_a_session_that_never_was_is_refused_in_one_line(folder: Path) -> None:
    answer = shell(folder, "sign", "tea", "--session", "nonexist")
    assert answer.exit_code == 1
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert "--session: 'nonexist' is no session of tea" in answer.stderr
