"""What the HTTP layer is given: the services it speaks for, as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web
from yarl import URL

from ingest.whip import WhipIngest
from server.auth import Authenticator, Viewers
from server.bus import Bus
from server.channel import OverlaySettings
from server.channels import Channels
from server.clock import Clock
from server.hls.edge import Edge
from server.http.audience import Audience
from server.http.metrics import Metrics
from server.live.posters import Posters
from server.live.pulls import Pulls
from server.live.tally import Tally
from server.playback.keys import Playback
from server.record.service import Recordings
from server.shop.service import Shop
from server.sources import Sources
from server.store.port import Store
from server.whep.service import Whep
from transcode.profile import Profile


class LiveState(Protocol):
    """What is known of a channel's broadcast."""

    @property
    def state(self) -> str:
        """`offline`, `live` or `interrupted`."""
        ...

    @property
    def session(self) -> str | None: ...

    @property
    def started_at(self) -> int | None:
        """UTC milliseconds."""
        ...

    @property
    def ingest(self) -> Mapping[str, object]: ...

    @property
    def renditions(self) -> Sequence[Mapping[str, object]]: ...

    @property
    def warnings(self) -> Sequence[Mapping[str, object]]: ...


class Live(Protocol):
    """The running broadcasts."""

    def state(self, channel: str) -> LiveState: ...

    def edge(self, channel: str) -> Edge | None: ...

    def session_on(self, channel: str) -> str | None:
        """Name the session that `edge` serves; None where there is none."""
        ...

    def turn_out(self, channel: str, reason: str) -> bool:
        """Drop the channel's publisher; False when there is none."""
        ...

    async def stop(self, channel: str) -> bool:
        """End the channel's broadcast; False when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How many bytes a body may have, by what it is."""

    json: int = 1024 * 1024
    image: int = 8 * 1024 * 1024
    feed: int = 32 * 1024 * 1024

    @property
    def product(self) -> int:
        """A product may carry its picture as a data: URL."""
        return self.image * 4 // 3 + self.json


@dataclass(frozen=True, slots=True)
class Site:
    channels: Channels
    shop: Shop
    bus: Bus
    store: Store
    live: Live
    tally: Tally
    authenticator: Authenticator
    viewers: Viewers
    metrics: Metrics
    audience: Audience
    clock: Clock
    profiles: Mapping[str, Profile]
    overlay: OverlaySettings
    """What a new channel has unless told otherwise."""
    limits: BodyLimits
    sources: Sources
    pulls: Pulls
    recordings: Recordings
    posters: Posters
    playback: Playback
    ready: Callable[[], bool]
    public_url: str = ""
    """How clients reach us, `https://shop.example`; empty: as the request came."""
    rtmp_port: int = 1935
    whip: WhipIngest | None = None
    """None: WHIP is switched off."""
    whep: Whep | None = None
    """None: nobody is shown the publisher's picture by WebRTC."""
    rtmps_port: int | None = None
    """None where RTMP over TLS is off."""

    def url(self, request: web.Request, path: str) -> URL:
        """Return an absolute address of ours."""
        return self._base(request).with_path(path)

    def rtmp_url(self, request: web.Request) -> str:
        """Return the server address that goes into an encoder's settings."""
        return f"rtmp://{self._host(request)}:{self.rtmp_port}/live"

    def encoder_urls(self, request: web.Request) -> dict[str, str]:
        """Return the server addresses for encoders, by their names in the API."""
        urls = {"rtmp_url": self.rtmp_url(request)}
        if self.rtmps_port is not None:
            urls["rtmps_url"] = f"rtmps://{self._host(request)}:{self.rtmps_port}/live"
        return urls

    def is_https(self, request: web.Request) -> bool:
        return self._base(request).scheme == "https"

    def _host(self, request: web.Request) -> str:
        host = self._base(request).host or "localhost"
        return f"[{host}]" if ":" in host else host

    def _base(self, request: web.Request) -> URL:
        if self.public_url:
            return URL(self.public_url)
        try:
            return request.url.origin()
        except ValueError:
            # A Host header that is no host: answer for the address connected to.
            return URL.build(scheme="http", host="localhost")
