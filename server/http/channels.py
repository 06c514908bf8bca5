"""Channels over HTTP: made, listed, changed, rotated, stopped, removed."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from server.channel import Channel, OverlaySettings, PlaybackMode
from server.errors import Invalid, NotFound, Problem, VitrineError
from server.http.body import read_model, read_query
from server.http.documents import ChannelChange, ChannelSent, OverlaySent, RotateSent
from server.http.paging import PageQuery, page
from server.http.playback_calls import changed
from server.http.reply import Reply
from server.http.site import Site
from server.http.sources import source_document, source_of
from server.http.viewer import PRINCIPAL
from server.instant import parse_rfc3339, rfc3339
from server.live.warden import REPLACED
from server.source import Source
from transcode.profile import Profile


class ChannelCalls:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def add(self, request: web.Request) -> Reply:
        sent = await read_model(request, ChannelSent)
        if sent.source is not None:
            self._site.sources.check(source_of(sent.source), "source.url")
        made = await self._site.channels.add(
            sent.id,
            sent.title,
            sent.profile,
            self._overlay(sent.overlay),
            _until("key_expires_at", sent.key_expires_at),
        )
        if sent.source is not None:
            await self._give(made.channel.id, source_of(sent.source))
        return Reply(
            {
                "id": made.channel.id,
                "title": made.channel.title,
                "stream_key": made.stream_key,
                "anchor_token": made.anchor_token,
                **self._site.encoder_urls(request),
                "watch_url": str(self._site.url(request, f"/watch/{made.channel.id}")),
                **_expiry(made.channel.key_expires_ms),
                **await self._signed(made.channel.id, sent.playback),
            },
            status=201,
            location=f"/api/v1/channels/{made.channel.id}",
        )

    async def _give(self, channel: str, source: Source) -> None:
        """Give a channel just made its source; without it there is no channel either."""
        try:
            await self._site.sources.put(channel, source)
        except VitrineError:
            await self._site.channels.remove(channel)
            raise
        await self._site.pulls.refresh()

    async def _signed(self, channel: str, mode: PlaybackMode) -> dict[str, object]:
        """Set who may watch a channel just made; give the key, where there is one."""
        signed = mode is PlaybackMode.SIGNED
        return await changed(self._site, channel, mode) if signed else {}

    async def list(self, request: web.Request) -> Reply:
        query = read_query(request, PageQuery)
        channels = await self._site.channels.list()
        return Reply(page(channels, query, lambda c: c.id, lambda c: self._document(c, request)))

    async def get(self, request: web.Request) -> Reply:
        channel = await self._site.channels.get(request.match_info["channel"])
        return Reply(self._document(channel, request))

    async def change(self, request: web.Request) -> Reply:
        """Change a channel; the key comes along where this made one."""
        channel = await self._site.channels.get(request.match_info["channel"])
        sent = await read_model(request, ChannelChange)
        if sent.playback is not None:
            request[PRINCIPAL].require_operator()
        told: dict[str, object] = {"id": channel.id, "title": channel.title}
        if sent.title is not None:
            told["title"] = await self._site.channels.rename(channel.id, sent.title)
        told["playback"] = self._site.playback.mode(channel.id).value
        if sent.playback is not None:
            told |= await changed(self._site, channel.id, sent.playback)
        return Reply(told)

    async def remove(self, request: web.Request) -> Reply:
        channel = request.match_info["channel"]
        missing: NotFound | None = None
        try:
            await self._site.channels.remove(channel)
        except NotFound as error:
            missing = error
        # Its key opens nothing any more; whoever is still sending is let go. That holds for a
        # channel, too, that a command beside the server removed while it was on the air.
        await self._site.pulls.refresh()
        stopped = await self._site.live.stop(channel)
        if missing is not None and not stopped:
            raise missing
        await self._site.shop.forget(channel)
        self._site.bus.forget(channel)
        return Reply(None, status=204)

    async def rotate_key(self, request: web.Request) -> Reply:
        channel = request.match_info["channel"]
        sent = await read_model(request, RotateSent)
        until = _until("expires_at", sent.expires_at)
        key = await self._site.channels.rotate_key(channel, until, sent.keep_old_seconds)
        if not sent.keep_old_seconds:
            self._site.live.turn_out(channel, REPLACED)
        return Reply(
            {
                "id": channel,
                "stream_key": key,
                **self._site.encoder_urls(request),
                **_expiry(until),
            }
        )

    async def stop(self, request: web.Request) -> Reply:
        channel = await self._site.channels.get(request.match_info["channel"])
        await self._site.pulls.switch_off(channel.id)
        await self._site.live.stop(channel.id)
        return Reply(self._document(channel, request))

    async def greet(self, request: web.Request) -> Reply:
        await self._site.channels.get(request.match_info["channel"])
        viewer = self._site.viewers.issue()
        return Reply({"viewer": viewer.id, "token": viewer.token}, status=201)

    async def profiles(self, request: web.Request) -> Reply:
        query = read_query(request, PageQuery)
        profiles = list(self._site.profiles.values())
        return Reply(page(profiles, query, lambda p: p.name, _profile))

    async def profile(self, request: web.Request) -> Reply:
        name = request.match_info["name"]
        if name not in self._site.profiles:
            raise NotFound("profile", name[:64])
        return Reply(_profile(self._site.profiles[name]))

    def _overlay(self, sent: OverlaySent | None) -> OverlaySettings | None:
        if sent is None:
            return None
        given = sent.model_dump(exclude_none=True)
        return replace(self._site.overlay, **given)

    def _document(self, channel: Channel, request: web.Request) -> dict[str, object]:
        """Write a channel; how the ingest does, and where it goes, is for those who run it."""
        state = self._site.live.state(channel.id)
        mine = request[PRINCIPAL].may_run(channel.id)
        warnings = (
            *state.warnings,
            *self._site.pulls.warnings(channel.id),
            *self._site.recordings.warnings(channel.id),
        )
        return {
            "id": channel.id,
            "title": channel.title,
            "state": state.state,
            "session": state.session,
            "started_at": None if state.started_at is None else rfc3339(state.started_at),
            "viewers": self._site.audience.count(channel.id),
            "ingest": dict(state.ingest) if mine else {},
            "renditions": [dict(rendition) for rendition in state.renditions],
            "profile": channel.profile,
            "overlay": {
                "mode": channel.overlay.mode.value,
                "corner": channel.overlay.corner.value,
                "motion": channel.overlay.motion.value,
                "locale": channel.overlay.locale,
            },
            "warnings": [dict(warning) for warning in warnings] if mine else [],
            **(self._site.encoder_urls(request) if mine else {"rtmp_url": None}),
            "playback": self._site.playback.mode(channel.id).value,
            "key_expires_at": None,
            "source": source_document(self._site, channel.id) if mine else None,
            **(_expiry(channel.key_expires_ms) if mine else {}),
        }


def _until(field: str, instant: str | None) -> int | None:
    """Read an expiry, UTC ms. Raises Invalid."""
    if instant is None:
        return None
    try:
        return parse_rfc3339(instant)
    except ValueError as error:
        raise Invalid(Problem(field, str(error))) from error


def _expiry(until: int | None) -> dict[str, str]:
    """Tell of an expiry, where there is one."""
    return {} if until is None else {"key_expires_at": rfc3339(until)}


def _profile(profile: Profile) -> dict[str, object]:
    return {
        "name": profile.name,
        "rungs": [{"short_side": r.short_side, "bitrate": r.bitrate} for r in profile.rungs],
        "part_seconds": round(float(profile.part_seconds), 3),
        "segment_seconds": round(float(profile.segment_seconds), 3),
        "encoder": profile.encoder,
        "preset": profile.preset,
        "options": dict(profile.options),
        "audio_bitrate": profile.audio_bitrate,
        "max_frame_rate": round(float(profile.max_frame_rate), 3),
    }
