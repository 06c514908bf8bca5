"""The configuration's section `ingest`: its keys, their bounds, their defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ingest.limits import Limits
from server.config_auth import AuthWebhookSection
from server.config_pull import PullSection
from server.config_rtmps import RtmpsSection
from server.config_section import Seconds, Section
from server.config_whip import WhipSection


class IngestSection(Section):
    max_connections: int = Field(default=512, ge=1, le=65_535)
    max_connections_per_address: int = Field(default=16, ge=1, le=65_535)
    handshake_seconds: Seconds = 5.0
    publish_seconds: Seconds = 10.0
    silence_seconds: Seconds = 8.0
    grace_seconds: float = Field(default=60.0, ge=0, le=3_600)
    interruption: Literal["gap", "slate"] = "gap"
    media_seconds: Seconds = 20.0
    failed_keys: int = Field(default=10, ge=1, le=1_000)
    failed_keys_window_seconds: Seconds = 60.0
    publishes_per_minute: int = Field(default=60, ge=1, le=100_000)
    auth_webhook: AuthWebhookSection = AuthWebhookSection()
    pull: PullSection = PullSection()
    whip: WhipSection = WhipSection()
    rtmps: RtmpsSection = RtmpsSection()

    def limits(self) -> Limits:
        return Limits(
            connections=self.max_connections,
            connections_per_address=self.max_connections_per_address,
            handshake_seconds=self.handshake_seconds,
            publish_seconds=self.publish_seconds,
            silence_seconds=self.silence_seconds,
            media_seconds=self.media_seconds,
        )
