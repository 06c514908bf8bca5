"""Replays over HTTP: playlists, media and the timeline of sessions that have ended.

What is answered is `server.record.library`'s to say; how, `server.http.hls`'s, as on the live path.
"""

from __future__ import annotations

from aiohttp import web

from server.http.errors import problem
from server.http.hls import CORS, PREFLIGHT, respond
from server.http.playback import doors
from server.record.library import Library


def add_routes(app: web.Application, library: Library) -> None:
    """Mount what lies below `/replay/`; what others have there is to be mounted before."""

    async def index(request: web.Request) -> web.Response:
        return respond(request, await library.playlist(*_session(request), None))

    async def playlist(request: web.Request) -> web.Response:
        rendition = request.match_info["rendition"]
        return respond(request, await library.playlist(*_session(request), rendition))

    async def media(request: web.Request) -> web.Response:
        rendition, name = request.match_info["rendition"], request.match_info["name"]
        return respond(request, await library.media(*_session(request), rendition, name))

    async def timeline(request: web.Request) -> web.Response:
        return respond(request, await library.timeline(*_session(request)))

    get = app.router.add_get
    for door in doors("/replay"):
        path = f"{door}/{{session}}"
        get(f"{path}/{{rendition}}/index.m3u8", playlist)
        get(f"{path}/{{rendition}}/{{name}}", media)
        get(f"{path}/index.m3u8", index)
        get(f"{path}/timeline.json", timeline)
    app.router.add_route("OPTIONS", "/replay/{tail:.*}", _preflight)
    app.router.add_route("*", "/replay/{tail:.*}", _elsewhere)


def _session(request: web.Request) -> tuple[str, str]:
    return request.match_info["channel"], request.match_info["session"]


async def _preflight(_request: web.Request) -> web.Response:
    return web.Response(status=204, headers=PREFLIGHT)


async def _elsewhere(request: web.Request) -> web.Response:
    if request.method in ("GET", "HEAD"):
        return problem(404, "There is nothing at this address.", headers=CORS)
    allow = {**CORS, "Allow": "GET, HEAD, OPTIONS"}
    return problem(405, "This address does not take that method.", headers=allow)
