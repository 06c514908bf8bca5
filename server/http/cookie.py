"""The cookies that pages set. aiohttp's own writer needs Python 3.14 to partition one."""

from __future__ import annotations

from http.cookies import Morsel

from aiohttp import web


def add_cookie(
    response: web.StreamResponse,
    name: str,
    value: str,
    *,
    path: str = "/",
    seconds: int,
    https: bool,
    foreign: bool,
) -> None:
    """Have the browser keep a value that no script reads, for `seconds`.

    `foreign`: also in a frame on another site's page, for that site alone (CHIPS); https only.
    Several of one name, each with its `path`, go side by side.
    """
    cookie: Morsel[str] = Morsel()
    cookie.set(name, value, value)
    cookie["path"] = path
    cookie["max-age"] = seconds
    cookie["httponly"] = True
    cookie["secure"] = https
    cookie["samesite"] = "None" if foreign else "Lax"
    text = cookie.OutputString() + ("; Partitioned" if foreign else "")
    response.headers.add("Set-Cookie", text)
