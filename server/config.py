"""The configuration: its keys, their bounds, their defaults. `config.yaml` is the manual.

Where values come from, and what was wrong in which line, is `server.config_file`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from ingest.limits import Limits
from overlay.scene import Corner, Motion
from server.bus import BusLimits
from server.channel import ChannelDefaults, OverlayMode, OverlaySettings
from server.config_file import ConfigError as ConfigError
from server.config_file import KeyProblems, read_layers
from server.host_name import is_host
from server.locale import is_locale
from server.shop.settings import ShopSettings, ShowSettings
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

Port = Annotated[int, Field(ge=0, le=65_535)]
Seconds = Annotated[float, Field(gt=0, le=3_600)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_boolean(cls, value: object) -> object:
        # Python, and so pydantic, counts with them; YAML reads them where a word was meant.
        if isinstance(value, bool):
            raise ValueError(
                "is read as yes or no, which no key takes; if a word is meant, put quotes around it"
            )
        return value


class ServerSection(_Section):
    host: str = "0.0.0.0"  # noqa: S104 - a streaming server is there to be reached
    http_port: Port = 8080
    rtmp_port: Port = 1935
    data_dir: Path = Path("data")
    public_url: str = ""
    max_body_bytes: int = Field(default=1_048_576, ge=1_024, le=104_857_600)
    max_image_bytes: int = Field(default=8_388_608, ge=1_024, le=8_388_608)
    max_feed_bytes: int = Field(default=33_554_432, ge=1_024, le=33_554_432)
    max_channels: int = Field(default=1_000, ge=1, le=100_000)
    drain_seconds: Seconds = 10.0

    @field_validator("host")
    @classmethod
    def _is_host(cls, value: str) -> str:
        if not is_host(value):
            raise ValueError("must be an IP address, like 0.0.0.0 or ::1, or the name of a host")
        return value

    @model_validator(mode="after")
    def _has_two_ports(self) -> Self:
        if self.http_port == self.rtmp_port != 0:
            raise KeyProblems(("rtmp_port", "must not be the same as http_port"))
        return self

    @field_validator("public_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        value = value.rstrip("/")
        parts = urlsplit(value)
        _ = parts.port  # ValueError of its own for one out of range
        if value and (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or value != f"{parts.scheme}://{parts.netloc}"
            or "@" in parts.netloc
        ):
            raise ValueError(
                "must be an http or https address without a path, like https://live.example.com"
            )
        return value


class IngestSection(_Section):
    max_connections: int = Field(default=512, ge=1, le=65_535)
    max_connections_per_address: int = Field(default=16, ge=1, le=65_535)
    handshake_seconds: Seconds = 5.0
    publish_seconds: Seconds = 10.0
    silence_seconds: Seconds = 8.0
    failed_keys: int = Field(default=10, ge=1, le=1_000)
    failed_keys_window_seconds: Seconds = 60.0


class RungSection(_Section):
    short_side: int = Field(ge=MIN_SHORT_SIDE, le=MAX_SHORT_SIDE, multiple_of=2)
    bitrate: int = Field(ge=MIN_BITRATE, le=MAX_BITRATE)


class ProfileSection(_Section):
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


class TranscodeSection(_Section):
    default_profile: str = DEFAULT.name
    profiles: dict[str, ProfileSection] = Field(default_factory=_built_in)

    @model_validator(mode="after")
    def _default_exists(self) -> Self:
        if self.default_profile not in self.profiles:
            problem = f"{self.default_profile!r} is not among the profiles"
            raise KeyProblems(("default_profile", problem))
        return self


class HlsSection(_Section):
    window_segments: int = Field(default=15, ge=6, le=600)


class OverlaySection(_Section):
    mode: OverlayMode = OverlayMode.BURN
    corner: Corner = Corner.BOTTOM_LEFT
    motion: Motion = Motion.FADE
    locale: str = "en"
    fonts: tuple[Path, ...] = ()

    @field_validator("mode", mode="before")
    @classmethod
    def _is_off(cls, value: object) -> object:
        # YAML 1.1 reads the bare word `off` as a boolean.
        return OverlayMode.OFF if value is False else value

    @field_validator("locale")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if not is_locale(value):
            raise ValueError("must be a BCP 47 language tag like en or zh-CN")
        return value

    @field_validator("fonts")
    @classmethod
    def _exist(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        missing = [str(path) for path in value if not path.is_file()]
        if missing:
            raise ValueError(f"no such font file: {', '.join(missing)}")
        return value


class ShopSection(_Section):
    max_products: int = Field(default=5_000, ge=1, le=1_000_000)
    shown_seconds: Seconds = 2.0
    pin_ahead_seconds: int = Field(default=600, ge=0, le=86_400)
    date_range_class: str = Field(
        default="com.vitrine.pin", pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", max_length=100
    )
    planned_pin_seconds: int = Field(default=14_400, ge=60, le=604_800)
    max_listeners: int = Field(default=20_000, ge=1, le=1_000_000)


class LogSection(_Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class Config(_Section):
    server: ServerSection = ServerSection()
    ingest: IngestSection = IngestSection()
    transcode: TranscodeSection = Field(default_factory=TranscodeSection)
    hls: HlsSection = HlsSection()
    overlay: OverlaySection = OverlaySection()
    shop: ShopSection = ShopSection()
    log: LogSection = LogSection()

    def profile(self, name: str) -> Profile:
        """Return a transcode profile. Raises KeyError."""
        return self.transcode.profiles[name].profile(name)

    def profiles(self) -> dict[str, Profile]:
        return {name: self.profile(name) for name in self.transcode.profiles}

    def overlay_settings(self) -> OverlaySettings:
        """Return what a channel gets that says nothing of its overlay."""
        overlay = self.overlay
        return OverlaySettings(overlay.mode, overlay.corner, overlay.motion, overlay.locale)

    def channel_defaults(self) -> ChannelDefaults:
        return ChannelDefaults(
            profile=self.transcode.default_profile,
            profiles=frozenset(self.transcode.profiles),
            overlay=self.overlay_settings(),
            max_channels=self.server.max_channels,
        )

    def ingest_limits(self) -> Limits:
        return Limits(
            connections=self.ingest.max_connections,
            connections_per_address=self.ingest.max_connections_per_address,
            handshake_seconds=self.ingest.handshake_seconds,
            publish_seconds=self.ingest.publish_seconds,
            silence_seconds=self.ingest.silence_seconds,
        )

    def shop_settings(self) -> ShopSettings:
        shop = self.shop
        return ShopSettings(
            max_products=shop.max_products,
            pin_ahead_ms=shop.pin_ahead_seconds * 1000,
            show=ShowSettings(
                shown_deadline=shop.shown_seconds,
                date_range_class=shop.date_range_class,
                planned_pin_ms=shop.planned_pin_seconds * 1000,
            ),
        )

    def bus_limits(self) -> BusLimits:
        return BusLimits(listeners=self.shop.max_listeners)


def load(
    path: Path | None,
    overrides: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """Make the configuration: defaults, then the file, the environment, the command line.

    `overrides` by dotted key (`server.http_port`), None values ignored; `environment` is
    searched for VITRINE_SECTION__KEY. Maps (profiles) are merged, all else is replaced. Raises
    ConfigError that lists every problem with the file's line, or variable, and the key.
    """
    base = Config().model_dump(mode="json")
    layers = read_layers(path, environment or {}, overrides or {})
    return layers.validated(Config, base)


def _fraction(seconds: float) -> Fraction:
    """Take 0.3333 for a third: what people write is rounded, the grid is not."""
    return Fraction(seconds).limit_denominator(100)
