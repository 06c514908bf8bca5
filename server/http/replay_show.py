"""What is made of recordings, over HTTP: the page, chapters, pictures, files to keep.

Pictures that are not made yet are 202 with `Retry-After`: nothing is wrong, ask again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import quote

import structlog
from aiohttp import web
from pydantic import BaseModel, Field

from server.errors import Conflict, NotFound, Unavailable
from server.hls.answer import Answer, etag_of
from server.http.body import read_query
from server.http.errors import problem
from server.http.hls import CORS, outside, respond, span
from server.http.playback import doors
from server.record.axis import Axis
from server.record.chapters import Showing, chapters, chapters_vtt, explanation
from server.record.errors import RecordError
from server.record.layout import Export
from server.record.pictures import POSTER, STORYBOARD, Stage
from server.record.recording import Recording
from server.record.service import Recordings
from server.record.shows import showings_of
from server.record.stretch import Wanted

_PATH = "/replay/{channel}/{session}"
_SHEET = r"{sheet:storyboard-\d{1,3}\.jpg}"
_VTT = "text/vtt; charset=utf-8"
_KEPT_SECONDS = 3_600
"""How long caches keep what is made of a recording: it does not change, but may be removed."""
_AGAIN_SECONDS = 5
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")

PageHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ExportQuery(BaseModel):
    rendition: str = Field("", max_length=64)
    part: int | None = Field(None, ge=1, le=10_000)


class WholeQuery(ExportQuery):
    fragmented: bool = True


class ClipQuery(ExportQuery):
    pin: str = Field(max_length=64)


def add_routes(app: web.Application, recordings: Recordings, page: PageHandler) -> None:
    """Mount it. Before `server.http.replay`, which answers whatever else is below `/replay/`."""
    show = ReplayShow(recordings)
    get = app.router.add_get
    get(_PATH, _to_page)
    get(f"{_PATH}/", page)
    for door in doors("/replay"):
        path = f"{door}/{{session}}"
        get(f"{path}/chapters.vtt", show.chapters)
        get(f"{path}/{STORYBOARD}", show.storyboard)
        get(f"{path}/{POSTER}", show.poster)
        get(f"{path}/{_SHEET}", show.sheet)
        get(f"{path}/recording.mp4", show.whole)
        get(f"{path}/clip.mp4", show.clip)


class ReplayShow:
    def __init__(self, recordings: Recordings) -> None:
        self._library = recordings.library
        self._pictures = recordings.pictures
        self._exporter = recordings.exporter
        self._log = structlog.get_logger("record")

    async def chapters(self, request: web.Request) -> web.Response:
        """Answer when which product was explained, as WebVTT."""
        recording = await self._recording(request)
        made = chapters(await self._showings(recording), Axis.of(recording))
        return _lasting(request, chapters_vtt(made).encode(), _VTT)

    async def storyboard(self, request: web.Request) -> web.Response:
        return await self._picture(request, STORYBOARD, _VTT)

    async def poster(self, request: web.Request) -> web.Response:
        return await self._picture(request, POSTER, "image/jpeg")

    async def sheet(self, request: web.Request) -> web.Response:
        return await self._picture(request, request.match_info["sheet"], "image/jpeg")

    async def whole(self, request: web.Request) -> web.StreamResponse:
        """Answer the recording as one MP4."""
        query = read_query(request, WholeQuery)
        recording = await self._recording(request)
        wanted = Wanted(query.rendition, query.part, fragmented=query.fragmented)
        return await self._file(request, recording, wanted, recording.title or recording.channel)

    async def clip(self, request: web.Request) -> web.StreamResponse:
        """Answer one product's explanation as an MP4."""
        query = read_query(request, ClipQuery)
        recording = await self._recording(request)
        found = explanation(await self._showings(recording), query.pin)
        if found is None:
            raise NotFound("pin", query.pin)
        last = recording.ended_ms or recording.started_ms
        until = last if found.end_ms is None else found.end_ms
        if until <= found.start_ms:
            raise Conflict(
                "never-shown", "The pin was ended before its card came into the picture."
            )
        wanted = Wanted(query.rendition, query.part, found.start_ms, until, fragmented=False)
        return await self._file(request, recording, wanted, found.title)

    async def _recording(self, request: web.Request) -> Recording:
        match = request.match_info
        return await self._library.recording(match["channel"], match["session"])

    async def _showings(self, recording: Recording) -> tuple[Showing, ...]:
        try:
            return await showings_of(self._library, recording)
        except RecordError as error:
            raise Unavailable(str(error)) from error

    async def _picture(self, request: web.Request, name: str, kind: str) -> web.Response:
        match = request.match_info
        found = await self._pictures.read(match["channel"], match["session"], name)
        if found is Stage.MAKING:
            headers = {"Retry-After": str(_AGAIN_SECONDS), "Cache-Control": "no-store", **CORS}
            return web.json_response({"state": "making"}, status=202, headers=headers)
        if isinstance(found, Stage):
            said = "The pictures of this recording could not be made; the server's log says why."
            return problem(404, said, code="no-pictures", headers=CORS)
        return _lasting(request, found, kind)

    async def _file(
        self, request: web.Request, recording: Recording, wanted: Wanted, title: str
    ) -> web.StreamResponse:
        export = await self._exporter.export(recording, wanted)
        part = span(request, export.size, export.etag)
        if part is not None and not part:
            return outside(export.size)
        sent = part or range(export.size)
        response = web.StreamResponse(status=200 if part is None else 206)
        headers = response.headers
        headers.update(CORS)
        headers["Content-Type"] = "video/mp4"
        headers["ETag"] = export.etag
        headers["Cache-Control"] = f"max-age={_KEPT_SECONDS}"
        headers["Accept-Ranges"] = "bytes"
        headers["Content-Disposition"] = _disposition(recording, title)
        if part is not None:
            headers["Content-Range"] = f"bytes {sent.start}-{sent.stop - 1}/{export.size}"
        response.content_length = len(sent)
        await response.prepare(request)
        if request.method != "HEAD":
            await self._send(response, export, sent)
        return response

    async def _send(self, response: web.StreamResponse, export: Export, sent: range) -> None:
        try:
            async for block in self._exporter.read(export, sent.start, sent.stop):
                await response.write(block)
            await response.write_eof()
        except RecordError as error:
            # Its length was told: an end before that is all that is left to say.
            self._log.warning("an export broke off", error=str(error))
            raise ConnectionResetError from error


async def _to_page(request: web.Request) -> web.Response:
    """Lead to the page, below which its relative addresses lie."""
    where = request.rel_url.with_path(f"{request.path}/", keep_query=True)
    return web.Response(status=308, headers={"Location": str(where)})


def _lasting(request: web.Request, body: bytes, kind: str) -> web.Response:
    return respond(request, Answer(body, kind, _KEPT_SECONDS, etag_of(body)))


def _disposition(recording: Recording, title: str) -> str:
    """Name the file by channel, day and title (RFC 6266; 8187 for what is not ASCII)."""
    day = datetime.fromtimestamp(recording.started_ms / 1000, UTC).strftime("%Y-%m-%d")
    name = f"{recording.channel} {day} {title}"[:120]
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    fallback = _UNFIT.sub("-", plain).strip("-.") or "recording"
    return f"attachment; filename=\"{fallback}.mp4\"; filename*=UTF-8''{quote(name, safe='')}.mp4"
