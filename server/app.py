"""The object graph, on one page: what is made of what, started and stopped in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial

import structlog

from ingest.whip import WhipIngest
from overlay.tiles import check
from server.address import addresses
from server.admission import Admission
from server.attempts import Attempts
from server.auth import Authenticator, Viewers, operator_token, viewer_secret
from server.bus import Bus
from server.claim import claimed
from server.clock import Clock, SystemClock
from server.config import Config
from server.http.application import make_web
from server.http.audience import Audience
from server.http.auth_webhook import AuthWebhook
from server.http.forwarded import Proxies
from server.http.lane import Lane
from server.http.metrics import Metrics
from server.http.pages import Pages
from server.http.playback import opened
from server.http.site import BodyLimits, Site
from server.http.watched import watch
from server.listening import try_ports
from server.live.gate import Gate
from server.live.openings import LiveSettings
from server.live.posters import Posters
from server.live.pulls import Pulls
from server.live.registry import Registry
from server.live.renewal import Renewal
from server.live.rounds import KIND, Rounds
from server.live.warden import Warden
from server.ports import answering_http, ports, taking_rtmp
from server.record.service import Recordings
from server.services import make_channels, make_playback, make_sources, open_store, private_folder
from server.shop.service import Shop
from server.store.port import Store
from server.store.sqlite import SqliteStore
from server.webhooks.message import Write
from server.webhooks.sender import Sender
from server.webhooks.writer import Herald, Writer
from server.whep.service import Whep


def _live_settings(config: Config) -> LiveSettings:
    return LiveSettings(
        config.profiles(),
        config.hls.window_segments,
        config.hls.dvr_seconds,
        config.ingest.grace_seconds,
        config.ingest.interruption == "slate",
        config.hls.id3,
    )


class Vitrine:
    """One server: two of them fit in one process."""

    def __init__(self, config: Config, environment: Mapping[str, str]) -> None:
        self.config = config
        self._environment = environment
        self._stack = AsyncExitStack()
        self._ready = False
        self._log = structlog.get_logger("server")

    async def start(self) -> None:
        """Start everything; returns when both ports are listened on.

        Raises OSError when a port is taken or the data directory is another server's or cannot
        be written, ValueError for a bad operator token. What was started before the failure is
        stopped again.
        """
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _start(self) -> None:
        config, stack = self.config, self._stack
        clock = SystemClock()
        folder = config.server.data_dir
        await asyncio.to_thread(private_folder, folder)
        claim = await asyncio.to_thread(stack.enter_context, claimed(folder))
        await asyncio.to_thread(try_ports, config.server.host, ports(config))
        store = await open_store(config)
        stack.push_async_callback(store.close)
        token = await asyncio.to_thread(operator_token, folder, self._environment)
        viewers = Viewers(await asyncio.to_thread(viewer_secret, folder))

        self.bus = Bus(clock, config.bus_limits())
        self.channels = make_channels(config, store, clock)
        self.recordings = Recordings(config, store, store.recordings, clock)
        stack.push_async_callback(self.recordings.close)
        self.registry = Registry(
            store, self.bus, clock, _live_settings(config), self.recordings.recorder
        )
        self.gate = Gate(store, self._admission(clock), self.registry)
        self.sources = make_sources(config, store)
        self.pulls = Pulls(
            self.sources, self.gate, config.pull_settings(), clock, self._tell_warnings
        )
        write = Writer(config.webhooks.targets(), clock)
        self.shop = Shop(
            store, self.bus, self.registry.stage, clock, check, config.shop_settings(), write
        )
        stack.push_async_callback(self.shop.close)
        stack.push_async_callback(self.registry.close)
        stack.push_async_callback(self.pulls.close)
        self.registry.listen(self.shop)
        await self._take_up()
        await self._watch(store, clock, write)
        self.playback = await make_playback(config, store, clock)
        await self.playback.start()
        stack.push_async_callback(self.playback.close)
        await self._take_publishers()

        authenticator = Authenticator(token, self.channels, viewers)
        site = await self._site(store, clock, authenticator, viewers)
        watch(site, self.registry, self.rtmp)
        await self._answer(site)
        await asyncio.to_thread(
            claim.tell,
            addresses(config, self.http_port, self.rtmp.port, self.rtmp.secure_port),
        )
        self.pulls.start()
        self._ready = True
        self._log.info("ready", http_port=self.http_port, rtmp_port=self.rtmp.port)

    async def _take_up(self) -> None:
        """Go on with what a stopped server left, in the order in which one needs another."""
        self.recordings.begin()
        if self.recordings.recorder is not None:
            self.registry.listen(self.recordings.recorder)
            self.registry.listen(self.recordings.pictures)
        going_on = await self.registry.recover()
        await self.shop.recover(going_on)
        await self.recordings.start(going_on)
        self.registry.start()

    async def _site(
        self, store: SqliteStore, clock: Clock, authenticator: Authenticator, viewers: Viewers
    ) -> Site:
        """Gather what the pages and calls need."""
        config = self.config
        return Site(
            channels=self.channels,
            shop=self.shop,
            bus=self.bus,
            store=store,
            live=self.registry,
            tally=self.registry.tally,
            authenticator=authenticator,
            viewers=viewers,
            metrics=await asyncio.to_thread(Metrics),
            audience=Audience(),
            clock=clock,
            profiles=config.profiles(),
            overlay=config.overlay_settings(),
            limits=BodyLimits(
                config.server.max_body_bytes,
                config.server.max_image_bytes,
                config.server.max_feed_bytes,
            ),
            sources=self.sources,
            pulls=self.pulls,
            recordings=self.recordings,
            posters=self.posters,
            playback=self.playback,
            ready=lambda: self._ready,
            public_url=config.server.public_url,
            rtmp_port=self.rtmp.port,
            rtmps_port=self.rtmp.secure_port,
            whip=self.whip,
            whep=self.whep,
        )

    async def stop(self) -> None:
        """Drain: broadcasts are put down or end, players read the end, connections close."""
        self._ready = False
        publishers = self.rtmp.connections + (self.whip.sessions if self.whip else 0)
        ends = publishers + self.pulls.count() > 0 and not self.config.ingest.grace_seconds
        self._log.info("stopping", publishers=publishers)
        self.registry.admit_no_more()
        try:
            async with asyncio.timeout(self.config.server.drain_seconds):
                await self.rtmp.close()
                if self.whip is not None:
                    await self.whip.close()
                await self.pulls.close()
                await self.registry.close()
                if ends:
                    # Players poll about once a target duration; this lets them see ENDLIST.
                    await asyncio.sleep(min(2.5, self.config.server.drain_seconds / 2))
        except TimeoutError:
            self._log.warning("drained too slowly; closing anyway")
        self.bus.close()
        await self._stack.aclose()
        self._log.info("stopped")

    def _admission(self, clock: Clock) -> Admission:
        ingest = self.config.ingest
        asked = ingest.auth_webhook.settings()
        webhook = None
        if asked is not None:
            webhook = AuthWebhook(asked)
            self._stack.push_async_callback(webhook.close)
            fail = ingest.auth_webhook.fail
            self._log.info("a webhook is asked", fail=fail, signed=bool(asked.secret))
        pace = Attempts(ingest.publishes_per_minute, 60.0)
        return Admission(self.channels, clock, webhook, pace)

    async def _forget(self, channel: str) -> None:
        """Let go of a channel that was removed by another process."""
        await self.shop.forget(channel)
        self.bus.forget(channel)

    def _tell_warnings(self, channel: str) -> None:
        """Tell whoever runs a channel that its source's trouble came, or went."""
        warnings = [*self.registry.state(channel).warnings, *self.pulls.warnings(channel)]
        # The bus must not remember a channel that was removed, source and all.
        if self.pulls.state(channel) is not None or self.bus.listeners(channel):
            self.bus.publish(channel, KIND, {"warnings": warnings})

    async def _take_publishers(self) -> None:
        """Open the ways in."""
        config, stack = self.config, self._stack
        self.rtmp = await stack.enter_async_context(taking_rtmp(config, self.gate))
        whip = config.whip_settings()
        self.whip = WhipIngest(self.gate, whip) if whip is not None else None
        if self.whip is not None:
            stack.push_async_callback(self.whip.close)
        shown = config.whep_settings()
        self.whep = Whep(self.registry, shown) if shown is not None else None
        if self.whep is not None:
            stack.push_async_callback(self.whep.close)

    async def _watch(self, store: Store, clock: Clock, write: Write) -> None:
        """Have keys and broadcasts looked after, and the world told by webhooks."""
        warden = Warden(store, self.registry, self._forget)
        warden.start()
        self._stack.push_async_callback(warden.close)
        herald = Herald(store, write)
        self.registry.listen(herald)
        self.rounds = Rounds(self.registry.streams, self.bus, clock, self.pulls.warnings)
        self.rounds.listen(herald)
        self.rounds.start()
        self._stack.push_async_callback(self.rounds.close)
        self.posters = Posters(self.registry.stage.session, self.registry.edge, clock)
        self.posters.start()
        self._stack.push_async_callback(self.posters.close)
        recording = self.config.recording
        if recording.enabled and recording.max_hours:
            streams = self.registry.streams
            renewal = Renewal(streams, self.pulls, clock, recording.max_hours)
            renewal.start()
            self._stack.push_async_callback(renewal.close)
        webhooks = self.config.webhooks
        sender = Sender(store, webhooks.targets(), clock, webhooks.settings())
        await sender.start()
        self._stack.push_async_callback(sender.close)

    async def _answer(self, site: Site) -> None:
        """Open the pages and calls, and the lane before them."""
        config = self.config
        pages = await asyncio.to_thread(Pages, site)
        app = make_web(site, pages, Proxies(config.server.trusted_proxies))
        may_watch = partial(opened, self.playback, self.registry.session_on)
        lane = Lane(self.registry, site.metrics, may_watch)
        self.http_port = await self._stack.enter_async_context(answering_http(config, app, lane))
