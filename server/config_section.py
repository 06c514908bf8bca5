"""What every section of the configuration has in common."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Port = Annotated[int, Field(ge=0, le=65_535)]
Seconds = Annotated[float, Field(gt=0, le=3_600)]
_SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with, not one


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_boolean(cls, value: object, info: ValidationInfo) -> object:
        # Python, and so pydantic, counts with them; YAML reads them where a word was meant.
        asked = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and asked is not bool:
            raise ValueError(
                "is read as yes or no, which no key takes; if a word is meant, put quotes around it"
            )
        return value


def signing_secret(text: str) -> str:
    """Check a secret that signs webhooks (Standard Webhooks 1.0). Raises ValueError."""
    try:
        key = base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not text.startswith(_SECRET_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError(
            "must be whsec_ and the base64 of 24 to 64 random bytes:"
            ' echo "whsec_$(openssl rand -base64 32)" makes one'
        )
    return text
