"""What a call answers, before it is written as HTTP: a JSON document and its headers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from aiohttp import web

from server.http.assets import holds


@dataclass(frozen=True, slots=True)
class Reply:
    document: object
    """None: no body."""
    status: int = 200
    location: str = ""
    tagged: bool = False
    """Answer with an ETag, and 304 to whoever holds that version."""

    def body(self) -> bytes:
        if self.document is None:
            return b""
        return json.dumps(self.document, ensure_ascii=False, separators=(",", ":")).encode()


def written(request: web.Request, reply: Reply) -> web.Response:
    """Write a reply (RFC 9110 13.1.2 for `tagged` ones)."""
    body = reply.body()
    headers = {"Cache-Control": "no-store"}
    if reply.location:
        headers["Location"] = reply.location
    if reply.tagged:
        headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
        headers["Cache-Control"] = "no-cache"
        if holds(request, headers["ETag"]):
            return web.Response(status=304, headers=headers)
    if not body:
        return web.Response(status=reply.status, headers=headers)
    return web.Response(
        status=reply.status, body=body, content_type="application/json", headers=headers
    )
