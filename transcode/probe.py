"""The encoder probe: opens the encoder of every rung of every profile once, and tells.

Its own short-lived process (`python -m transcode.probe`): codec code never runs in the
server's, and libav's log, where x264 tells of options that it ignores, is a global of
the process. Imports PyAV.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from fractions import Fraction

import av.logging

from overlay.tiles import ColorSpec
from transcode import plain
from transcode.confine import confine
from transcode.encode import VideoEncoder
from transcode.errors import MediaError, WireError
from transcode.ladder import MAX_SIDE, resolve
from transcode.profile import MAX_SHORT_SIDE, Profile
from transcode.trial import Refusal, Trial, Verdict

SOURCE = (MAX_SIDE * 15 // 16, MAX_SHORT_SIDE)
"""Pixels of a 16:9 source with which no rung is left out."""
SOURCE_RATE = Fraction(30)
_IGNORED = re.compile(r"Error parsing option '(?P<name>[^=]*?) = (?P<value>.*)'")
_CHOICES = re.compile(r"^Possible \w+:.*$", re.MULTILINE)


def refusals(profile: Profile) -> tuple[Refusal, ...]:
    """Open the encoder of each rung of `profile`; give what was refused, equal words once."""
    told: dict[str, list[str]] = {}
    for rendition in resolve(profile, *SOURCE, SOURCE_RATE).renditions:
        with av.logging.Capture() as log:
            try:
                VideoEncoder(profile, rendition, SOURCE_RATE, ColorSpec())
                refused = None
            except MediaError as error:
                refused = str(error).removeprefix(f"{rendition.name}: ")
        for words in _words(refused, "".join(text for _, _, text in log)):
            told.setdefault(words, []).append(rendition.name)
    return tuple(Refusal(profile.name, tuple(rungs), words) for words, rungs in told.items())


def _words(refused: str | None, log: str) -> Iterator[str]:
    if refused is not None:
        yield " ".join([refused, *(choice.rstrip() + "." for choice in _CHOICES.findall(log))])
    for ignored in _IGNORED.finditer(log):
        yield f"the encoder does not take the option {ignored['name']}: {ignored['value']}"


def main() -> int:
    """Answer one Trial; 0 when answered, 1 when it could not be read."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print from a codec must not reach the answer
    confine()  # as the worker is: what an encoder then cannot do is told here, not on the air
    av.logging.set_level(av.logging.INFO)  # the presets that there are, are told at this level
    av.logging.set_skip_repeated(False)
    try:
        trial = plain.load(Trial, memoryview(sys.stdin.buffer.read()))
    except WireError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    found = tuple(refusal for profile in trial.profiles for refusal in refusals(profile))
    with answers:
        answers.write(plain.dump(Verdict(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
