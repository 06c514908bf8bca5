"""The encoders themselves say what they do not take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import av.logging
import pytest

from transcode.probe import refusals
from transcode.profile import BUILT_IN, Profile, Rung

TWO = Profile("two", (Rung(90, 200_000), Rung(48, 100_000)))


@pytest.fixture(autouse=True)
def _told() -> Iterator[None]:
    before = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    av.logging.set_skip_repeated(False)
    yield
    av.logging.set_skip_repeated(True)
    av.logging.set_level(before)


@pytest.mark.parametrize("profile", BUILT_IN, ids=lambda profile: profile.name)
def test_the_built_in_profiles_are_taken(profile: Profile) -> None:
    assert refusals(profile) == ()


def test_options_reach_x264_whole() -> None:
    options = (("tune", "animation"), ("deblock", "1:-1"), ("aq-mode", "0"), ("level", "4.0"))
    assert refusals(replace(TWO, options=options)) == ()


def test_the_largest_rung_is_tried_too() -> None:
    profile = replace(TWO, rungs=(Rung(4320, 9_000_000),), preset="ultrafast", encoder="nope")
    (refusal,) = refusals(profile)
    assert refusal.rungs == ("4320p",)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoder": "nope"}, "encoder 'nope' is unknown; known: libx264"),
        ({"preset": "zoom"}, "zoom.* Possible presets: .*veryfast.*"),
        ({"options": (("tune", "zzz"),)}, "zzz.* Possible tunes: .*film.*"),
        ({"options": (("nope", "1"),)}, "does not take the option nope: 1$"),
        ({"options": (("subme", "abc"),)}, "does not take the option subme: abc$"),
    ],
)
def test_a_refusal_names_the_rungs_and_has_the_encoders_words(
    changes: dict[str, str], words: str
) -> None:
    # What is replaced is for `replace` to check, not for its type.
    (refusal,) = refusals(replace(TWO, **changes))  # type: ignore[arg-type]
    assert (refusal.profile, refusal.rungs) == ("two", ("90p", "48p"))
    assert re.search(words, refusal.words)


def test_each_wrong_option_is_named() -> None:
    found = refusals(replace(TWO, options=(("one", "1"), ("ref", "1"), ("two", "2"))))
    assert [refusal.words.rpartition(" option ")[2] for refusal in found] == ["one: 1", "two: 2"]
