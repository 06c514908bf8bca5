"""`vitrine recording` on the data of a server that has stopped, and beside one that runs."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server.cli import app
from tests.server.http.test_replay import SESSION, SETTINGS, record
from tests.server.running import running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with one recording."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("VITRINE_")]:
        monkeypatch.delenv(name)

    async def make() -> None:
        async with running(tmp_path / "data", SETTINGS) as site:
            await site.channel()
            await record(site)

    asyncio.run(make())
    return tmp_path / "data"


def shell(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["recording", *words, "--data-dir", str(folder)])


def told(folder: Path, *words: str) -> Any:
    answer = shell(folder, *words, "--json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_a_recording_is_listed_held_released_and_removed(folder: Path) -> None:
    (listed,) = told(folder, "list")
    assert (listed["id"], listed["state"], listed["gaps"]) == (SESSION, "ended", 0)
    assert SESSION in shell(folder, "list", "tea").stdout
    assert told(folder, "list", "pot") == []
    held = told(folder, "hold", "tea", SESSION, "--reason", "a court asked")
    assert held["hold"]["reason"] == "a court asked"
    refused = shell(folder, "remove", "tea", SESSION)
    assert refused.exit_code == 1
    assert "a court asked" in refused.stderr
    assert told(folder, "release", "tea", SESSION, "--reason", "settled")["hold"] is None
    assert (folder / "recordings" / "tea" / SESSION).exists()
    assert told(folder, "remove", "tea", SESSION)["removed"]
    assert not (folder / "recordings" / "tea").exists()
    assert told(folder, "list") == []
    log = told(folder, "log", "tea")
    assert [line["deed"] for line in log] == ["recorded", "held", "released", "removed"]
    assert {line["actor"] for line in log} == {"server", "command line"}
    assert "a court asked" in shell(folder, "log").stdout


def test_what_is_not_there_is_an_error(folder: Path) -> None:
    for words in (
        ("hold", "tea", "01NOTHERE", "--reason", "x"),
        ("release", "tea", "01NOTHERE", "--reason", "x"),
        ("remove", "tea", "01NOTHERE"),
        ("hold", "tea", SESSION, "--reason", " "),
    ):
        answer = shell(folder, *words)
        assert answer.exit_code == 1
        assert answer.stderr.count("\n") == 1
