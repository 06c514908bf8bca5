"""Who may watch a channel, by the API: set, its key replaced, tokens made for trying it."""

from __future__ import annotations

from aiohttp import web

from server.channel import PlaybackMode
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
        begin = f"/live/{channel}"
        document = {
            "token": token,
            "expires_at": rfc3339(1000 * claims.expires),
            "hls_url": str(self._site.url(request, f"{begin}/~{token}/index.m3u8")),
            "watch_url": str(self._site.url(request, f"/watch/{channel}").with_query(token=token)),
            "embed_url": str(self._site.url(request, f"/embed/{channel}").with_query(token=token)),
        }
        return Reply(document, status=201)


async def changed(site: Site, channel: str, mode: PlaybackMode) -> dict[str, object]:
    """Set who may watch; give what the answer says of it, the key where this made one."""
    key = await site.playback.set_mode(channel, mode)
    return {"playback": mode.value, **({} if key is None else {"playback_key": key})}
