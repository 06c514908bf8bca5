"""What `/metrics` shows besides requests, and where each figure is read."""

from __future__ import annotations

from ingest.rtmp.listener import RtmpListener
from server.http import channel_metrics, ingest_metrics, recording_metrics
from server.http.site import Site
from server.live.registry import Registry


def watch(site: Site, registry: Registry, rtmp: RtmpListener) -> None:
    """Have `site.metrics` show the whole server's figures."""
    metrics = site.metrics
    metrics.watch("viewers", "Viewers whose page is open.", site.audience.total)
    metrics.watch("rtmp_connections", "Open RTMP connections.", lambda: rtmp.connections)
    metrics.watch_families(
        lambda: channel_metrics.families(
            [(stream.channel, registry.state(stream.channel)) for stream in registry.streams()]
        )
    )
    metrics.watch_families(lambda: ingest_metrics.families(site.tally))
    metrics.watch_families(lambda: recording_metrics.families(site.recordings))
    metrics.watch("sources_on_air", "Pulled sources on the air.", site.pulls.count)
    whip, whep = site.whip, site.whep
    if whip is not None:
        metrics.watch("whip_sessions", "WHIP sessions.", lambda: whip.sessions)
    if whep is not None:
        metrics.watch("whep_sessions", "WHEP sessions.", lambda: whep.sessions)
