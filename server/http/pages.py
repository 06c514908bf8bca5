"""The pages: HTML of `player/` with a nonce, the channel and its title filled in.

Everything filled in is escaped. Scripts come from our own origin; the one inline script,
the import map, carries the nonce of its answer.
"""

from __future__ import annotations

import asyncio
import html
import re
import secrets
from enum import Enum
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from server.errors import Conflict, NotFound, Unavailable
from server.http import poster
from server.http.assets import PLAYER, Assets, answer
from server.http.missing import missing_page
from server.http.playback import ADMITTED, Admitted, Carrier, admit, refusal, remember
from server.http.site import Site
from server.http.viewer import greet
from server.instant import rfc3339
from server.playback.judge import Denied
from server.record.pictures import POSTER

DOCS = Path(__file__).with_name("docs")
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_UNSAID = re.compile(r'^ *<meta [^<>]*content="">\n', re.MULTILINE)
"""What there is nothing to say for is left out."""
_VENDOR_CACHE = "public, max-age=3600"
_MOMENT = re.compile(r"(\d{1,3}h)?(\d{1,5}m)?(\d{1,7}s?)?", re.ASCII)
"""A time as links carry it; player/reel.js reads it."""
_MISSING_REPLAY = "The address may be mistyped, or the recording has been removed."
_MISSING_SHOW = "The address may be mistyped, or the shop has taken the show down."


class Page(Enum):
    """A page's file and who may frame it."""

    LOBBY = ("lobby.html", "'none'")
    WATCH = ("watch.html", "'self'")
    EMBED = ("embed.html", "*")
    REPLAY = ("replay.html", "'self'")
    STUDIO = ("studio.html", "'self'")
    CAMERA = ("camera.html", "'none'")
    OPS = ("ops.html", "'none'")
    DOCS = ("docs.html", "'none'")

    @property
    def file(self) -> str:
        return self.value[0]

    @property
    def ancestors(self) -> str:
        return self.value[1]

    @property
    def permissions(self) -> str:
        """What the page may use of the device (Permissions-Policy)."""
        if self is Page.CAMERA:
            return "camera=(self), microphone=(self), display-capture=(self), geolocation=()"
        return "camera=(), microphone=(), geolocation=()"


class Pages:
    """Answers for the pages and their modules. Making one reads the folders: not on the loop."""

    def __init__(self, site: Site, root: Path = PLAYER) -> None:
        self._site = site
        self._root = root
        self._assets = Assets(root)
        self._docs = Assets(DOCS)

    async def lobby(self, request: web.Request) -> web.Response:
        return await self._page(request, Page.LOBBY, {"title": "Vitrine"})

    async def watch(self, request: web.Request) -> web.Response:
        return await self._of_channel(request, Page.WATCH)

    async def embed(self, request: web.Request) -> web.Response:
        return await self._of_channel(request, Page.EMBED)

    async def replay(self, request: web.Request) -> web.Response:
        """Answer the page of a recording; one that is still on the air is watched live."""
        names = request.match_info["channel"], request.match_info["session"]
        try:
            recording = await self._site.recordings.library.recording(*names)
        except NotFound:
            return missing_page("No such replay", _MISSING_REPLAY)
        except Conflict:
            return web.Response(status=302, headers={"Location": f"/watch/{quote(names[0])}"})
        begin = request.query.get("t", "")
        path = f"/replay/{recording.channel}/{recording.session}/"
        fields = {
            "channel": recording.channel,
            "session": recording.session,
            "token": _carried(request.get(ADMITTED)),
            "title": recording.title or recording.channel,
            "started": rfc3339(recording.started_ms),
            "parts": str(await self._site.recordings.exporter.parts(recording)),
            "begin": begin if _MOMENT.fullmatch(begin) else "",
            "url": str(self._site.url(request, path)),
            "poster": self._replay_poster(request, recording.channel, recording.session),
        }
        return await self._page(request, Page.REPLAY, fields)

    async def studio(self, request: web.Request) -> web.Response:
        return await self._of_channel(request, Page.STUDIO)

    async def camera(self, request: web.Request) -> web.Response:
        return await self._of_channel(request, Page.CAMERA)

    async def ops(self, request: web.Request) -> web.Response:
        return await self._page(request, Page.OPS, {"title": "Vitrine · operations"})

    async def icon(self, request: web.Request) -> web.Response:
        icon = await asyncio.to_thread(self._assets.get, "icon.svg")
        return answer(request, icon, _VENDOR_CACHE)

    async def docs(self, request: web.Request) -> web.Response:
        return await self._filled(request, Page.DOCS, DOCS / "docs.html", {"title": "Vitrine API"})

    async def asset(self, request: web.Request) -> web.Response:
        name = request.match_info["path"]
        cache = _VENDOR_CACHE if name.startswith("vendor/") else "no-cache"
        response = answer(request, await asyncio.to_thread(self._assets.get, name), cache)
        # The custom element is a module that other sites may load.
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    async def docs_asset(self, request: web.Request) -> web.Response:
        name = request.match_info["path"]
        return answer(request, await asyncio.to_thread(self._docs.get, name))

    async def _of_channel(self, request: web.Request, page: Page) -> web.Response:
        name = request.match_info["channel"]
        try:
            channel = await self._site.channels.get(name)
        except NotFound:
            frame = page.ancestors if page is Page.EMBED else "'none'"
            return missing_page("No such show", _MISSING_SHOW, ancestors=frame)
        token = await self._ticket(request, page, channel.id)
        if isinstance(token, web.Response):
            return token
        fields = {
            "channel": channel.id,
            "token": token,
            "title": channel.title or channel.id,
            "url": str(self._site.url(request, f"/watch/{channel.id}")),
            "picture": await self._picture(request, channel.id) if page is Page.WATCH else "",
        }
        response = await self._page(request, page, fields)
        if token:
            remember(self._site, request, response, channel.id)
        return response

    async def _ticket(self, request: web.Request, page: Page, channel: str) -> str | web.Response:
        """Give the token in the query that opens a signed channel's page; or its refusal."""
        if page not in (Page.WATCH, Page.EMBED) or not self._site.playback.is_signed(channel):
            return ""
        admitted = await admit(self._site, request, channel)
        if isinstance(admitted, Denied):
            frame = page.ancestors if page is Page.EMBED else "'none'"
            return refusal(admitted, request, ancestors=frame)
        return _carried(admitted)

    async def _picture(self, request: web.Request, channel: str) -> str:
        """Name the picture that links to the page are shown with; "" where there is none.

        What a token opens is not shown to whoever passes by.
        """
        site = self._site
        if site.playback.is_signed(channel):
            return ""
        if site.live.state(channel).state != "offline":
            return str(site.url(request, f"/live/{channel}/{poster.NAME}"))
        try:
            past = await site.recordings.catalogue.page(channel, None, 1)
        except Unavailable:
            return ""
        if not past or past[0].ended_ms is None or past[0].removing:
            return ""
        return self._replay_poster(request, channel, past[0].session)

    def _replay_poster(self, request: web.Request, channel: str, session: str) -> str:
        """Name a recording's poster, where everybody may see it; else ""."""
        if self._site.playback.is_signed(channel):
            return ""
        return str(self._site.url(request, f"/replay/{channel}/{session}/{POSTER}"))

    async def _page(self, request: web.Request, page: Page, fields: dict[str, str]) -> web.Response:
        return await self._filled(request, page, self._root / page.file, fields)

    async def _filled(
        self, request: web.Request, page: Page, path: Path, fields: dict[str, str]
    ) -> web.Response:
        nonce = secrets.token_urlsafe(18)
        values = {"nonce": nonce, **fields}
        try:
            text = await asyncio.to_thread(path.read_text, "utf-8")
        except OSError as error:
            raise NotFound("page", page.file) from error
        body = _PLACEHOLDER.sub(lambda found: html.escape(values.get(found[1], "")), text)
        body = _UNSAID.sub("", body)
        response = web.Response(text=body, content_type="text/html")
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Security-Policy"] = _policy(nonce, page.ancestors)
        response.headers["Permissions-Policy"] = page.permissions
        if page is not Page.EMBED:
            response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        else:
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        greet(self._site, request, response)
        return response


def _carried(admitted: Admitted | None) -> str:
    """Give the token that the player carries in its addresses, where no cookie may be kept."""
    return admitted.token if admitted and admitted.carrier is Carrier.QUERY else ""


def _policy(nonce: str, ancestors: str) -> str:
    """Write the Content-Security-Policy (CSP level 3) of a page.

    hls.js runs its demuxer in a worker made from a blob and feeds the video element by one.
    Product pictures may lie on the shop's own hosts.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self' https: http: data: blob:",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "font-src 'self'",
            "manifest-src 'self'",
            "frame-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {ancestors}",
        )
    )
