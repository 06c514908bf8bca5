"""The configuration's section `transcode`: profiles and their rungs."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails

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


class TranscodeSection(Section):
    default_profile: str = DEFAULT.name
    profiles: dict[str, ProfileSection] = Field(default_factory=_built_in)

    @model_validator(mode="wrap")
    @classmethod
    def _default_exists(cls, given: object, make: ModelWrapValidatorHandler[Self]) -> Self:
        """Tell of a default that no profile has, also where a profile has faults of its own."""
        try:
            made = make(given)
        except ValidationError as error:
            if not isinstance(given, dict):
                raise
            missing = _missing(given.get("default_profile"), given.get("profiles"))
            if missing is None:
                raise
            details = [_again(each) for each in error.errors(include_url=False)]
            also = InitErrorDetails(type="value_error", loc=(), input=given, ctx={"error": missing})
            raise ValidationError.from_exception_data(error.title, [*details, also]) from None
        missing = _missing(made.default_profile, made.profiles)
        if missing is not None:
            raise missing
        return made


def _again(told: ErrorDetails) -> InitErrorDetails:
    """Make an error of pydantic's as it was."""
    context = told.get("ctx", {})
    return InitErrorDetails(type=told["type"], loc=told["loc"], input=told["input"], ctx=context)


def _missing(name: object, profiles: object) -> KeyProblems | None:
    """Tell of a default that is not among the profiles, where both can be told at all."""
    if not isinstance(name, str) or not isinstance(profiles, Mapping) or name in profiles:
        return None
    return KeyProblems(("default_profile", f"{name!r} is not among the profiles"))


def _fraction(seconds: float) -> Fraction:
    """Take 0.3333 for a third: what people write is rounded, the grid is not."""
    return Fraction(seconds).limit_denominator(100)
