"""The configuration's section `ingest.rtmps`: RTMP over TLS."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import model_validator

from ingest.rtmp.certificate import CertificateError, Half, fault, load
from server.config_file import KeyProblems
from server.config_section import Port, Section


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
                half, said = Half(there), f"is needed beside {there}, as a PEM file"
                wrong = fault(Path(getattr(self, there)), half)
                raise KeyProblems(*(((there, wrong),) if wrong else ()), (missing, said))
        if self.files is not None:
            try:
                load(*self.files)
            except CertificateError as error:
                raise KeyProblems((error.half.value, error.reason)) from None
        return self
