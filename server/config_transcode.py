"""The configuration's section `transcode`: profiles and their rungs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from pydantic import Field, field_validator, model_validator

from server.config_file import KeyProblems
from server.config_section import Section
from transcode.errors import ProfileError
from transcode.profile import (
    BUILT_IN,
    DEFAULT,
    MAX_AUDIO_BITRATE,
    MAX_BITRATE,
    MAX_FRAME_RATE_CAP,
    MAX_PART,
    MAX_SEGMENT,
    MAX_SHORT_SIDE,
    MIN_AUDIO_BITRATE,
    MIN_BITRATE,
    MIN_FRAME_RATE_CAP,
    MIN_PART,
    MIN_SEGMENT,
    MIN_SHORT_SIDE,
    Profile,
    Rung,
)


class RungSection(Section):
    short_side: int = Field(ge=MIN_SHORT_SIDE, le=MAX_SHORT_SIDE, multiple_of=2)
    bitrate: int = Field(ge=MIN_BITRATE, le=MAX_BITRATE)


class ProfileSection(Section):
    rungs: tuple[RungSection, ...]
    part_seconds: float = Field(default=0.333, ge=float(MIN_PART), le=float(MAX_PART))
    segment_seconds: float = Field(default=2.0, ge=float(MIN_SEGMENT), le=float(MAX_SEGMENT))
    encoder: str = DEFAULT.encoder
    preset: str = DEFAULT.preset
    options: dict[str, str] = Field(default_factory=dict)
    audio_bitrate: int = Field(
        default=DEFAULT.audio_bitrate, ge=MIN_AUDIO_BITRATE, le=MAX_AUDIO_BITRATE
    )
    max_frame_rate: int = Field(
        default=int(DEFAULT.max_frame_rate), ge=MIN_FRAME_RATE_CAP, le=MAX_FRAME_RATE_CAP
    )

    @model_validator(mode="after")
    def _makes_a_profile(self) -> Self:
        """Find what no single key shows."""
        try:
            self.profile("")
        except ProfileError as error:
            raise KeyProblems(*error.problems) from error
        return self

    def profile(self, name: str) -> Profile:
        """Raises ProfileError when out of bounds."""
        return Profile(
            name=name,
            rungs=tuple(Rung(rung.short_side, rung.bitrate) for rung in self.rungs),
            part_seconds=_fraction(self.part_seconds),
            segment_seconds=_fraction(self.segment_seconds),
            encoder=self.encoder,
            preset=self.preset,
            options=tuple(self.options.items()),
            audio_bitrate=self.audio_bitrate,
            max_frame_rate=Fraction(self.max_frame_rate),
        )


def _built_in() -> dict[str, ProfileSection]:
    return {
        profile.name: ProfileSection(
            rungs=tuple(
                RungSection(short_side=rung.short_side, bitrate=rung.bitrate)
                for rung in profile.rungs
            )
        )
        for profile in BUILT_IN
    }


@dataclass(frozen=True, slots=True)
class _Unknown:
    """The name of a default that no profile has."""

    name: str


class TranscodeSection(Section):
    default_profile: str = DEFAULT.name
    profiles: dict[str, ProfileSection] = Field(default_factory=_built_in)

    @model_validator(mode="before")
    @classmethod
    def _mark_unknown(cls, given: object) -> object:
        """Mark a default that no profile has: a key's own check is made whatever else is wrong."""
        if not isinstance(given, dict):
            return given
        name = given.get("default_profile", DEFAULT.name)
        profiles = given.get("profiles", {profile.name: profile for profile in BUILT_IN})
        if isinstance(name, str) and isinstance(profiles, dict) and name not in profiles:
            return {**given, "default_profile": _Unknown(name)}
        return given

    @field_validator("default_profile", mode="before")
    @classmethod
    def _is_known(cls, value: object) -> object:
        if isinstance(value, _Unknown):
            raise ValueError(f"{value.name!r} is not among the profiles")
        return value


def _fraction(seconds: float) -> Fraction:
    """Take 0.3333 for a third: what people write is rounded, the grid is not."""
    return Fraction(seconds).limit_denominator(100)
