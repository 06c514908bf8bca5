"""What docs/playback.md shows is run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from server.playback.token import Claims, mint

MANUAL = Path(__file__).resolve().parents[3] / "docs" / "playback.md"
TOKEN = mint(Claims("tea", 1_767_232_800, viewer="anna"), "pb_example-key-do-not-use")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", MANUAL.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("language", "command"), [("python", (sys.executable, "-c")), ("javascript", ("node", "-e"))]
)
def test_an_example_mints_what_we_mint(language: str, command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [*command, block(language)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == TOKEN


def test_the_token_that_is_printed_is_the_one() -> None:
    assert f"\n{TOKEN}\n" in MANUAL.read_text("utf-8")
