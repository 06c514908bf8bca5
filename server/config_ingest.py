"""The configuration's section `ingest`: its keys, their bounds, their defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from ingest.limits import Limits
from ingest.rtmp.certificate import CertificateError, load
from server.config_file import KeyProblems
from server.config_section import Port, Seconds, Section


class RtmpsSection(Section):
    port: Port = 1936
    certificate: str = ""
    key: str = ""

    @property
    def files(self) -> tuple[Path, Path] | None:
        """Certificate and key; None where RTMPS is off."""
        return (Path(self.certificate), Path(self.key)) if self.certificate else None

    @model_validator(mode="after")
    def _loads(self) -> Self:
        for there, missing in (("certificate", "key"), ("key", "certificate")):
            if getattr(self, there) and not getattr(self, missing):
                raise KeyProblems((missing, f"is needed beside {there}, as a PEM file"))
        if self.files is not None:
            try:
                load(*self.files)
            except CertificateError as error:
                raise KeyProblems((error.half.value, error.reason)) from None
        return self


class IngestSection(Section):
    max_connections: int = Field(default=512, ge=1, le=65_535)
    max_connections_per_address: int = Field(default=16, ge=1, le=65_535)
    handshake_seconds: Seconds = 5.0
    publish_seconds: Seconds = 10.0
    silence_seconds: Seconds = 8.0
    media_seconds: Seconds = 20.0
    failed_keys: int = Field(default=10, ge=1, le=1_000)
    failed_keys_window_seconds: Seconds = 60.0
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
