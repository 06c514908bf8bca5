"""Who may watch a channel, by the API: set, its key replaced, tokens made for trying it."""

from __future__ import annotations

from aiohttp import web

from server.channel import PlaybackMode
from server.errors import NotFound
from server.http.body import read_model
from server.http.documents_playback import PlaybackRotateSent, TokenSent
from server.http.reply import Reply
from server.http.site import Site
from server.instant import rfc3339


class PlaybackCalls:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def rotate(self, request: web.Request) -> Reply:
        channel = request.match_info["channel"]
        sent = await read_model(request, PlaybackRotateSent)
        key = await self._site.playback.rotate(channel, sent.keep_old_seconds)
        return Reply({"id": channel, "playback_key": key})

    async def mint(self, request: web.Request) -> Reply:
        channel = request.match_info["channel"]
        sent = await read_model(request, TokenSent)
        token, claims = await self._site.playback.mint(
            channel,
            sent.seconds,
            session=sent.session,
            wait=sent.wait_seconds,
            viewer=sent.viewer,
        )
        hls, watch = f"/live/{channel}/~{token}/index.m3u8", f"/watch/{channel}"
        embed = str(self._site.url(request, f"/embed/{channel}").with_query(token=token))
        if sent.session and await self._has_ended(channel, sent.session):
            hls = f"/replay/{channel}/~{token}/{sent.session}/index.m3u8"
            watch, embed = f"/replay/{channel}/{sent.session}/", ""
        document = {
            "token": token,
            "expires_at": rfc3339(1000 * claims.expires),
            "hls_url": str(self._site.url(request, hls)),
            "watch_url": str(self._site.url(request, watch).with_query(token=token)),
            "embed_url": embed,
        }
        return Reply(document, status=201)

    async def _has_ended(self, channel: str, session: str) -> bool:
        """Tell whether a session is a recording that has ended; else it is on the air.

        Raises NotFound for one that is neither: its token would open nothing.
        """
        entry = await self._site.recordings.catalogue.get(channel, session)
        if entry is not None and not entry.removing:
            return entry.ended_ms is not None
        if self._site.live.session_on(channel) != session:
            raise NotFound("session", session)
        return False


async def changed(site: Site, channel: str, mode: PlaybackMode) -> dict[str, object]:
    """Set who may watch; give what the answer says of it, the key where this made one."""
    key = await site.playback.set_mode(channel, mode)
    return {"playback": mode.value, **({} if key is None else {"playback_key": key})}
