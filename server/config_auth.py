"""The configuration's section `ingest.auth_webhook`: its keys, their bounds, their defaults."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from ingest.limits import Limits
from server.config_file import KeyProblems
from server.config_section import Section, signing_secret
from server.judge import WebhookSettings

LONGEST_SECONDS = Limits().verdict_seconds - 1.0
"""The gate's own deadline is longer: the store is asked within it too."""
_HERE = ("localhost", "127.0.0.1", "::1")


class AuthWebhookSection(Section):
    url: str = Field(default="", max_length=2_000)
    secret: str = Field(default="", max_length=200, repr=False)
    timeout_seconds: float = Field(default=2.0, gt=0, le=LONGEST_SECONDS)
    fail: Literal["closed", "open"] = "closed"
    send_key: Literal["never", "always"] = "never"

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        parts = urlsplit(value)
        _ = parts.port  # ValueError of its own for one out of range
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must be an http or https address, like https://shop.example/publish")
        return value

    @field_validator("secret")
    @classmethod
    def _is_secret(cls, value: str) -> str:
        return signing_secret(value) if value else value

    @model_validator(mode="after")
    def _shows_the_key_to_nobody_else(self) -> Self:
        parts = urlsplit(self.url)
        if self.send_key == "always" and parts.scheme == "http" and parts.hostname not in _HERE:
            raise KeyProblems(("url", "must be https where send_key is always"))
        return self

    def settings(self) -> WebhookSettings | None:
        """Return what the sender needs; None where there is no webhook."""
        if not self.url:
            return None
        return WebhookSettings(
            url=self.url,
            secret=self.secret,
            timeout=self.timeout_seconds,
            fail_open=self.fail == "open",
            send_key=self.send_key == "always",
        )
