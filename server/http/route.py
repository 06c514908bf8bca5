"""One line of the URL table: who may make the call, what goes in and what comes out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from aiohttp import web
from pydantic import BaseModel

from server.http.body import SMALL
from server.http.reply import Reply


class Access(Enum):
    ANYBODY = "anybody"
    CHANNEL = "the channel's anchor, or the operator"
    OPERATOR = "the operator"


Call = Callable[[web.Request], Awaitable[Reply]]
Stream = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    call: Call | None
    access: Access
    summary: str
    answer: type[BaseModel] | None = None
    status: int = 200
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    binary: str = ""
    """Media type of a body that is not JSON."""
    limit: int = SMALL
    """Bytes of the body."""
    stream: Stream | None = None
    """Answers by itself, piece by piece; in the place of `call`."""
    secret: bool = False
    """The answer carries a secret that must not be stored."""
