"""The configuration: its keys, their bounds, their defaults. `config.yaml` is the manual.

Where values come from, and what was wrong in which line, is `server.config_file`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from ingest.address import is_network
from ingest.limits import Limits
from ingest.rtmp.certificate import warning
from ingest.whip_settings import WhipSettings
from overlay.scene import Corner, Motion
from server.bus import BusLimits
from server.channel import ChannelDefaults, OverlayMode, OverlaySettings
from server.config_file import ConfigError as ConfigError
from server.config_file import KeyProblems, read_layers
from server.config_ingest import IngestSection
from server.config_recording import RecordingSection
from server.config_section import Port, Seconds, Section
from server.config_transcode import TranscodeSection
from server.config_webhooks import WebhooksSection
from server.config_whip import WhepSection
from server.host_name import is_host
from server.locale import is_locale
from server.pull_settings import PullSettings
from server.shop.settings import ShopSettings, ShowSettings
from transcode.profile import Profile


class ServerSection(Section):
    host: str = "0.0.0.0"  # noqa: S104 - a streaming server is there to be reached
    http_port: Port = 8080
    rtmp_port: Port = 1935
    data_dir: Path = Path("data")
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
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

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [each for each in value if not is_network(each)]
        if wrong:
            raise ValueError(
                f"{wrong[0]!r} is no address or network; write 127.0.0.1, 10.0.0.0/8, ::1"
            )
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


class HlsSection(Section):
    window_segments: int = Field(default=15, ge=6, le=600)
    dvr_seconds: int = Field(default=1_800, ge=0, le=14_400)
    id3: bool = False


class OverlaySection(Section):
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


class ShopSection(Section):
    max_products: int = Field(default=5_000, ge=1, le=1_000_000)
    shown_seconds: Seconds = 2.0
    pin_ahead_seconds: int = Field(default=600, ge=0, le=86_400)
    date_range_class: str = Field(
        default="com.vitrine.pin", pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", max_length=100
    )
    planned_pin_seconds: int = Field(default=14_400, ge=60, le=604_800)
    max_listeners: int = Field(default=20_000, ge=1, le=1_000_000)


class LogSection(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class Config(Section):
    server: ServerSection = ServerSection()
    ingest: IngestSection = IngestSection()
    transcode: TranscodeSection = Field(default_factory=TranscodeSection)
    hls: HlsSection = HlsSection()
    recording: RecordingSection = RecordingSection()
    overlay: OverlaySection = OverlaySection()
    shop: ShopSection = ShopSection()
    webhooks: WebhooksSection = WebhooksSection()
    whep: WhepSection = WhepSection()
    log: LogSection = LogSection()

    @model_validator(mode="after")
    def _has_a_port_for_rtmps(self) -> Self:
        rtmps = self.ingest.rtmps
        taken = (self.server.http_port, self.server.rtmp_port)
        if rtmps.files is not None and rtmps.port != 0 and rtmps.port in taken:
            problem = "must not be the same as server.http_port or server.rtmp_port"
            raise KeyProblems(("ingest.rtmps.port", problem))
        return self

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
        return self.ingest.limits()

    def pull_settings(self) -> PullSettings:
        pull = self.ingest.pull
        return PullSettings(
            allow_private=pull.allow_private,
            open_seconds=pull.open_seconds,
            silence_seconds=pull.silence_seconds,
            backoff_first=pull.backoff_seconds,
            backoff_most=pull.max_backoff_seconds,
        )

    def whip_settings(self) -> WhipSettings | None:
        """Return how WHIP is taken in; None: it is switched off."""
        return self.ingest.whip.settings(self.server.host, self.ingest.silence_seconds)

    def whep_settings(self) -> WhipSettings | None:
        """Return how the publisher's picture is sent out; None: it is not."""
        if not self.whep.max_sessions:
            return None
        bounds = self.ingest.whip.bounds(self.server.host, self.ingest.silence_seconds)
        return replace(bounds, sessions=self.whep.max_sessions)

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


def warnings(config: Config) -> tuple[str, ...]:
    """Tell what is no error and should be mended all the same. Blocks."""
    rtmps = config.ingest.rtmps
    said = warning(rtmps.files[0]) if rtmps.files is not None else ""
    return (f"ingest.rtmps.certificate: {said}",) if said else ()


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
