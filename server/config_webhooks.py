"""The configuration's section `webhooks`: its keys, their bounds, their defaults."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from server.config_section import Seconds, Section, signing_secret
from server.webhooks.message import KINDS, Endpoint
from server.webhooks.schedule import Settings

MOST_ENDPOINTS = 16


class EndpointSection(Section):
    url: str = Field(max_length=2_000)
    secret: SecretStr
    events: Annotated[tuple[str, ...], Field(min_length=1, max_length=50)] = ("*",)
    allow_private: bool = False

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        parts = urlsplit(value)
        _ = parts.port  # ValueError of its own for one out of range
        whole = parts.scheme in ("http", "https") and parts.hostname and value.isascii()
        if not whole or "@" in parts.netloc or parts.fragment or " " in value:
            raise ValueError(
                "must be an http or https address without a user, like"
                " https://shop.example/hooks/vitrine"
            )
        return value

    @field_validator("secret")
    @classmethod
    def _is_secret(cls, value: SecretStr) -> SecretStr:
        signing_secret(value.get_secret_value())
        return value

    @field_validator("events")
    @classmethod
    def _are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [each for each in value if not any(fnmatchcase(kind, each) for kind in KINDS)]
        if unknown:
            raise ValueError(f"no event is called {unknown[0]!r}; there are {', '.join(KINDS)}")
        return value


class WebhooksSection(Section):
    endpoints: Annotated[tuple[EndpointSection, ...], Field(max_length=MOST_ENDPOINTS)] = ()
    timeout_seconds: Seconds = 10.0
    give_up_days: float = Field(default=3.0, gt=0, le=30)

    @field_validator("endpoints")
    @classmethod
    def _are_different(cls, value: tuple[EndpointSection, ...]) -> tuple[EndpointSection, ...]:
        if len({endpoint.url for endpoint in value}) < len(value):
            raise ValueError("name each url once; give it all its events there")
        return value

    def targets(self) -> tuple[Endpoint, ...]:
        return tuple(
            Endpoint(each.url, each.secret.get_secret_value(), each.events, each.allow_private)
            for each in self.endpoints
        )

    def settings(self) -> Settings:
        return Settings(timeout=self.timeout_seconds, give_up=self.give_up_days * 86_400)
