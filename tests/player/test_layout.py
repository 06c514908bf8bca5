"""A card that the page draws stands where the server would have burned it in."""

from __future__ import annotations

import json
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest

from overlay.layout import card_rect
from overlay.scene import MAX_CARDS, Corner

GEOMETRY = Path(__file__).resolve().parents[2] / "player" / "geometry.js"
ASPECTS = (9 / 16, 3 / 4, 1.0, 16 / 9, 21 / 9)
PROGRAM = """
const { cardRect } = await import(process.argv[1]);
const cases = JSON.parse(process.argv[2]);
console.log(JSON.stringify(cases.map((one) => cardRect(...one))));
"""


def test_the_page_and_the_server_place_cards_alike() -> None:
    node = shutil.which("node")
    assert node is not None, "node is not on the PATH: run the tests by `make check`"
    cases = list(product(range(MAX_CARDS), ASPECTS, Corner, (False, True)))
    command = [node, "--input-type=module", "-e", PROGRAM, GEOMETRY.as_uri(), json.dumps(cases)]
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    for case, found in zip(cases, json.loads(done.stdout), strict=True):
        wanted = card_rect(*case)
        for name in ("x", "y", "width", "height"):
            assert found[name] == pytest.approx(getattr(wanted, name), abs=1e-9), case
