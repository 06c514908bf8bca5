"""The configuration's section `ingest.whip`: publishing over WebRTC."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Self

from pydantic import Field, field_validator, model_validator

from ingest.address import is_address
from ingest.whip_settings import IceServer, WhipSettings
from server.config_file import KeyProblems
from server.config_section import Seconds, Section


class IceServerEntry(Section):
    url: str = Field(max_length=300)
    username: str = Field(default="", max_length=500)
    credential: str = Field(default="", max_length=500)

    @field_validator("url")
    @classmethod
    def _is_ice_server(cls, value: str) -> str:
        # RFC 7064, RFC 7065
        if not re.fullmatch(r"(stun|turns?):[\w.-]+(:\d{1,5})?(\?transport=(udp|tcp))?", value):
            raise ValueError("must be like stun:HOST:3478 or turn:HOST:3478?transport=udp")
        if value.startswith("stun:") and "?" in value:
            raise ValueError("a STUN server's address has no transport")
        return value

    @model_validator(mode="after")
    def _turn_has_credentials(self) -> Self:
        if self.url.startswith("turn") and not (self.username and self.credential):
            raise KeyProblems(("username", "a TURN server needs username and credential"))
        return self


class WhipSection(Section):
    enabled: bool = True
    max_sessions: int = Field(default=64, ge=1, le=10_000)
    addresses: tuple[str, ...] = Field(default=(), max_length=16)
    ice_servers: tuple[IceServerEntry, ...] = Field(default=(), max_length=8)
    connect_seconds: Seconds = 15.0

    @field_validator("addresses")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [each for each in value if not is_address(each)]
        if wrong:
            raise ValueError(f"must be IP addresses of this machine; no such: {', '.join(wrong)}")
        return value

    def settings(self, host: str, silence_seconds: float) -> WhipSettings | None:
        """Return the ingest's settings; None: off. `host`: what else is listened on."""
        return self.bounds(host, silence_seconds) if self.enabled else None

    def bounds(self, host: str, silence_seconds: float) -> WhipSettings:
        """Return how WebRTC is spoken here, whether or not publishers may."""
        listened = (host,) if is_address(host) and not ip_address(host).is_unspecified else ()
        return WhipSettings(
            ice_servers=tuple(
                IceServer(each.url, each.username, each.credential) for each in self.ice_servers
            ),
            addresses=self.addresses or listened,
            sessions=self.max_sessions,
            connect_seconds=self.connect_seconds,
            silence_seconds=silence_seconds,
        )


class WhepSection(Section):
    max_sessions: int = Field(default=4, ge=0, le=1_000)
