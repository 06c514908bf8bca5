"""The reference does what the worker does."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from bench.card import stickers
from bench.reference import Kind, command
from bench.transcode import parents
from transcode.encode import ENCODERS
from transcode.ladder import DEFAULT, Ladder, resolve


@pytest.fixture
def ladder() -> Ladder:
    return resolve(DEFAULT, 1920, 1080, Fraction(30))


def line(kind: Kind, ladder: Ladder, folder: Path) -> list[str]:
    cards = {each.name: stickers(each, folder)[0] for each in ladder.renditions}
    return command(kind, folder / "clip.mp4", DEFAULT, ladder, cards, parents(ladder))


@pytest.mark.parametrize("kind", Kind)
def test_every_setting_of_ours_is_in_it(kind: Kind, ladder: Ladder, tmp_path: Path):
    text = " ".join(line(kind, ladder, tmp_path))
    for rendition in ladder.renditions:
        for name, value in ENCODERS[DEFAULT.encoder](DEFAULT, rendition).items():
            wanted = value.replace(":threads=1", "") if kind is Kind.DEFAULT else value
            assert f"{name}{':v' if name == 'profile' else ''} {wanted}" in text
        assert f"-b:v {rendition.bitrate} " in text
        again = kind is Kind.STEPS and parents(ladder)[rendition.name] is not None
        flags = "area" if again else "bicubic"
        assert f"scale={rendition.width}:{rendition.height}:flags={flags}" in text


@pytest.mark.parametrize("kind", Kind)
def test_every_pad_of_the_graph_is_made_once_and_used_once(
    kind: Kind, ladder: Ladder, tmp_path: Path
):
    words = line(kind, ladder, tmp_path)
    graph = words[words.index("-filter_complex") + 1]
    pads = list(re.findall(r"\[(\w+)\]", graph))
    pads += [word[1:-1] for word in words if re.fullmatch(r"\[\w+\]", word)]
    assert {pads.count(pad) for pad in pads} == {2}


def test_steps_scale_as_the_worker_does(ladder: Ladder):
    assert parents(ladder) == {"720p": None, "480p": "720p", "360p": "720p"}
