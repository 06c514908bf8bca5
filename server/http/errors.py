"""Domain errors to HTTP: the one table of statuses, and the one shape of an error's body.

RFC 9457 `application/problem+json`. `code` is a stable word for programs, `detail` a
sentence for people; a traceback never leaves the process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from server.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    TooLarge,
    Unauthorized,
    Unavailable,
    VitrineError,
)

PROBLEM_TYPE = "application/problem+json"

STATUSES: tuple[tuple[type[VitrineError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (Invalid, 422),
    (Unauthorized, 401),
    (Forbidden, 403),
    (TooLarge, 413),
    (RateLimited, 429),
    (Unavailable, 503),
)

_CODES = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "rate-limited",
    500: "internal",
    503: "unavailable",
}


def problem(
    status: int,
    detail: str,
    *,
    code: str | None = None,
    members: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Make a problem answer (RFC 9457 section 3); `members` are its extension members."""
    word = code or _CODES.get(status, HTTPStatus(status).name.lower().replace("_", "-"))
    body: dict[str, object] = {
        "type": f"urn:vitrine:problem:{word}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": word,
        "detail": detail,
        **(members or {}),
    }
    return web.Response(
        status=status,
        # Escaped: a client's own words come back in it, half a surrogate pair included.
        body=json.dumps(body).encode(),
        content_type=PROBLEM_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def domain_problem(error: VitrineError) -> web.Response:
    """Turn one of the server's own errors into its answer."""
    status = next((code for kind, code in STATUSES if isinstance(error, kind)), 500)
    detail = str(error)
    match error:
        case Conflict(code=code):
            return problem(status, detail, code=code)
        case Invalid(problems=problems):
            fields = [{"field": p.field, "problem": p.problem} for p in problems]
            return problem(status, detail, members={"errors": fields})
        case Unauthorized():
            return problem(status, detail, headers={"WWW-Authenticate": 'Bearer realm="vitrine"'})
        case TooLarge(limit=limit):
            return problem(status, detail, members={"limit": limit})
        case RateLimited(retry_after=seconds):
            return problem(status, detail, headers={"Retry-After": str(seconds)})
        case Unavailable():
            return problem(status, detail, headers={"Retry-After": "1"})
    return problem(status, detail if status < 500 else "The server could not do this.")


def http_problem(error: web.HTTPException) -> web.Response:
    """Turn an error of aiohttp's own (no such path, wrong method, bad framing) into a problem."""
    details = {
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
        413: "The body is larger than this address takes.",
    }
    allow = error.headers.get("Allow")
    return problem(
        error.status,
        details.get(error.status, error.reason),
        headers={"Allow": allow} if allow else None,
    )
