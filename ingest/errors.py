"""The faults that ingest tells apart. Standard library only."""

from __future__ import annotations


class IngestError(Exception):
    """Root of everything that ingest raises on purpose."""


class PeerError(IngestError):
    """The publisher sent something that it must not; its connection ends, nothing else does.

    `reason` is one sentence, fit for a log line and for the person at the encoder.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
