"""What every section of the configuration has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Port = Annotated[int, Field(ge=0, le=65_535)]
Seconds = Annotated[float, Field(gt=0, le=3_600)]


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
