"""What can go wrong in the shop and around it, in its own words.

Standard library only. HTTP statuses are chosen in one table, `server/http/errors.py`.
"""

from __future__ import annotations

from dataclasses import dataclass


class VitrineError(Exception):
    """Root of the server's own errors. `str(error)` is one sentence a person can act on."""


class NotFound(VitrineError):
    """The named thing does not exist."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"There is no {kind} {name!r}.")
        self.kind = kind
        self.name = name


class Conflict(VitrineError):
    """The request is well formed but does not fit the present state.

    `code` is a stable word for programs: `offline`, `exists`, `pins-full`, `already-pinned`,
    `idempotency-mismatch`, ...
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong field: a dotted path (`price.currency`) and what is wrong with it."""

    field: str
    problem: str


class Invalid(VitrineError):
    """The content is wrong; every wrong field is named at once."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{p.field}: {p.problem}" for p in problems))
        self.problems = problems


class Unauthorized(VitrineError):
    """Nobody, or nobody known: the token is missing, unsigned or unknown."""


class Forbidden(VitrineError):
    """Known, but not allowed to do this."""


class TooLarge(VitrineError):
    """A body or a count over its limit. `limit` is in the unit that the sentence names."""

    def __init__(self, detail: str, limit: int) -> None:
        super().__init__(detail)
        self.limit = limit


class RateLimited(VitrineError):
    """Too often. `retry_after` is in whole seconds, at least 1."""

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = max(1, retry_after)


class Unavailable(VitrineError):
    """We cannot do it now (store busy or closed); nothing is wrong with the request."""
