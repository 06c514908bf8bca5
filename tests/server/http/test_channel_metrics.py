"""Channels in /metrics: as the API tells, as long as they are on the air."""

from __future__ import annotations

import asyncio
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from ingest.port import Refusal
from server.http import ingest_metrics
from server.http.channel_metrics import COUNTERS, GAUGES, families
from server.http.documents_ingest import Ingest
from server.http.metrics import Metrics
from server.live.state import LiveState
from server.live.tally import Tally
from tests.helpers.rtmp_publisher import RtmpPublisher
from tests.server.running import Client

TOLD = LiveState(
    "live",
    ingest={
        "bitrate": 3_000_000, "fps": 29.97, "bytes": 12_345, "av_offset": None,
        "peak_left": -9.5, "peak_right": -60.0, "worker_restarts": 2, "black": True,
    },
    warnings=({"code": "black", "severity": "warning"},),
)  # fmt: skip


async def read(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Sample and read back what Prometheus would; by name and labels' values."""
    metrics.sample()
    text = (await asyncio.to_thread(metrics.text)).decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_each_channel_on_the_air_has_its_figures_and_then_none() -> None:
    states: list[tuple[str, Any]] = [("tea", TOLD), ("pots", LiveState("interrupted"))]
    metrics = await asyncio.to_thread(Metrics)
    metrics.watch_families(lambda: families(states))
    found = await read(metrics)
    assert found["vitrine_channel_ingest_bitrate_bps", "tea"] == 3_000_000
    assert found["vitrine_channel_ingest_bytes_total", "tea"] == 12_345
    assert found["vitrine_channel_worker_restarts_total", "tea"] == 2
    assert found["vitrine_channel_ingest_audio_peak_dbfs", "tea"] == -9.5
    assert found["vitrine_channel_warning", "tea", "black", "warning"] == 1
    assert found["vitrine_channel_state", "tea", "live"] == 1
    assert found["vitrine_channel_state", "pots", "live"] == 0
    assert found["vitrine_channel_state", "pots", "interrupted"] == 1
    assert not any(key[0].endswith("av_offset_seconds") for key in found), "not known, not told"
    del states[:]
    assert not any(key[0].startswith("vitrine_channel") for key in await read(metrics))


def test_every_figure_is_one_that_the_api_has() -> None:
    assert {*GAUGES, *COUNTERS, "peak_left", "peak_right"} <= set(Ingest.model_fields)


async def test_a_quiet_server_has_no_channel_in_its_metrics(site: Client) -> None:
    await site.channel()
    answer = await site.ask("GET", "/metrics", token=None)
    assert answer.status == 200
    assert b"vitrine_rtmp_connections 0" in answer.body
    assert b'channel="tea"' not in answer.body


async def test_how_publishing_fares_is_counted_from_the_start() -> None:
    tally = Tally(takeovers=2, resumes=1)
    tally.refused[Refusal.EXPIRED] += 3
    metrics = await asyncio.to_thread(Metrics)
    metrics.watch_families(lambda: ingest_metrics.families(tally))
    found = await read(metrics)
    assert found["vitrine_ingest_takeovers_total",] == 2
    assert found["vitrine_ingest_resumes_total",] == 1
    causes = {key[1]: value for key, value in found.items() if "refused" in key[0]}
    assert causes == {cause.value: 3 * (cause is Refusal.EXPIRED) for cause in Refusal}


async def test_refusals_and_takeovers_of_a_server_are_in_its_metrics(site: Client) -> None:
    key = (await site.channel())["stream_key"]
    with_a_wrong_key = await RtmpPublisher.connect(site.server.rtmp.port)
    first = await RtmpPublisher.connect(site.server.rtmp.port)
    second = await RtmpPublisher.connect(site.server.rtmp.port)
    try:
        assert (await with_a_wrong_key.publish("no"))["code"] == "NetStream.Publish.BadName"
        for publisher in (first, second):
            assert (await publisher.publish(key))["code"] == "NetStream.Publish.Start"
        answer = await site.ask("GET", "/metrics", token=None)
    finally:
        for publisher in (with_a_wrong_key, first, second):
            publisher.abort()
    assert b'vitrine_ingest_refused_total{cause="bad-key"} 1.0' in answer.body
    assert b"vitrine_ingest_takeovers_total 1.0" in answer.body
    assert b"vitrine_ingest_resumes_total 0.0" in answer.body
