"""The configuration's section `ingest.pull`: its keys, their bounds, their defaults."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from server.config_file import KeyProblems
from server.config_section import Seconds, Section


class PullSection(Section):
    allow_private: bool = False
    open_seconds: Seconds = 10.0
    silence_seconds: Seconds = 10.0
    backoff_seconds: Seconds = 1.0
    max_backoff_seconds: Seconds = 30.0
    max_sources: int = Field(default=50, ge=0, le=10_000)

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.max_backoff_seconds < self.backoff_seconds:
            raise KeyProblems(("max_backoff_seconds", "must be at least backoff_seconds"))
        return self
