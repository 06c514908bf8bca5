"""The questions and answers of `transcode.probe`: can these profiles be encoded?"""

from __future__ import annotations

from dataclasses import dataclass

from transcode.profile import Profile


@dataclass(frozen=True, slots=True)
class Trial:
    """What the probe is asked, on its standard input, as `transcode.plain` writes it."""

    profiles: tuple[Profile, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an encoder does not take."""

    profile: str
    rungs: tuple[str, ...]
    """For which of the profile's rungs, by the name of their rendition, e.g. `720p`."""
    words: str
    """The encoder's own, one line."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the probe answers, on its standard output."""

    refusals: tuple[Refusal, ...]
