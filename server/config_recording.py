"""The configuration's section `recording`: its keys, their bounds, their defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from server.config_file import KeyProblems
from server.config_section import Section
from server.record.object_store import S3Settings


class S3Section(Section):
    url: str = Field(default="", max_length=1_000)
    endpoint: str = Field(default="", max_length=1_000)
    region: str = Field(default="us-east-1", min_length=1, max_length=100)
    access_key_id: str = Field(default="", max_length=200)
    secret_access_key: SecretStr = SecretStr("")
    keep_local_hours: float = Field(default=24.0, ge=0, le=87_600)

    @field_validator("url")
    @classmethod
    def _is_bucket(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment):
            raise ValueError("must be s3://BUCKET or s3://BUCKET/PREFIX")
        return value.rstrip("/")

    @field_validator("endpoint")
    @classmethod
    def _is_url(cls, value: str) -> str:
        parts = urlsplit(value)
        _ = parts.port  # ValueError of its own for one out of range
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must be an http or https address, like https://s3.example.com")
        if "@" in parts.netloc:
            raise ValueError("must not hold keys; set access_key_id and secret_access_key")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _has_both_keys(self) -> Self:
        if bool(self.access_key_id) != bool(self.secret_access_key.get_secret_value()):
            lacking = "secret_access_key" if self.access_key_id else "access_key_id"
            raise KeyProblems((lacking, "must be set too; give both keys or none"))
        return self

    def settings(self) -> S3Settings | None:
        """Return where recordings are brought; None: nowhere."""
        if not self.url:
            return None
        parts = urlsplit(self.url)
        return S3Settings(
            bucket=parts.netloc,
            prefix=parts.path.strip("/"),
            endpoint=self.endpoint,
            region=self.region,
            access_key_id=self.access_key_id,
            secret_access_key=self.secret_access_key.get_secret_value(),
        )


class RecordingSection(Section):
    enabled: bool = True
    path: str = Field(default="", max_length=4_000)
    max_hours: float = Field(default=24.0, ge=0, le=8_760)
    retention_days: float = Field(default=60.0, ge=0, le=36_500)
    min_free_bytes: int = Field(default=1_073_741_824, ge=0, le=1 << 50)
    max_disk_percent: float = Field(default=95.0, gt=0, le=100)
    queue_bytes: int = Field(default=67_108_864, ge=4_194_304, le=4_294_967_296)
    s3: S3Section = S3Section()

    def folder(self, data_dir: Path) -> Path:
        """Return the folder under which `recordings/` lies."""
        return Path(self.path) if self.path else data_dir
