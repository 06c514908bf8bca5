"""What recordings and their storage refuse. Standard library only."""

from __future__ import annotations


class RecordError(Exception):
    """Root of this folder's errors. `str(error)` is one sentence for the operator."""


class Missing(RecordError):
    """The storage has nothing under this key."""


class StorageDown(RecordError):
    """The storage does not answer, or not in time; what was asked for may be there."""


class BadJournal(RecordError):
    """A journal that cannot be read at all: not ours, or of a later version."""


class NotRecalled(RecordError):
    """The journal does not tell of a live list that could be gone on with."""
