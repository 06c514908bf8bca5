"""The picture of a show that is on, over HTTP: for the lobby and for links to the show."""

from __future__ import annotations

from aiohttp import web

from server.errors import NotFound
from server.hls.answer import Answer
from server.http.errors import problem
from server.http.hls import CORS, offline, respond
from server.http.playback import doors
from server.live.posters import FRESH_SECONDS, Posters

NAME = "poster.jpg"
_AGAIN_SECONDS = 5


def add_routes(app: web.Application, posters: Posters) -> None:
    """Mount it. Before `server.http.hls`, which answers whatever else is below `/live/`."""

    async def poster(request: web.Request) -> web.Response:
        try:
            found = await posters.poster(request.match_info["channel"])
        except NotFound as error:
            return (
                offline() if error.kind == "broadcast" else problem(404, str(error), headers=CORS)
            )
        if found is None:
            headers = {"Retry-After": str(_AGAIN_SECONDS), "Cache-Control": "no-store", **CORS}
            return web.json_response({"state": "making"}, status=202, headers=headers)
        etag = f'"{found.session}-{found.name}"'
        return respond(request, Answer(found.data, "image/jpeg", round(FRESH_SECONDS), etag))

    for door in doors("/live"):
        app.router.add_get(f"{door}/{NAME}", poster)
