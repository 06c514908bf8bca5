"""Each channel's figures for Prometheus, as long as it is on the air.

Read from what the API tells, so that both say the same. A channel's series end with its
broadcast: there are never more of them than channels on the air.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)

from server.http.site import LiveState

_LABELS = ("channel",)
GAUGES: Mapping[str, tuple[str, str]] = {
    "bitrate": ("ingest_bitrate_bps", "Bits a second that arrive."),
    "fps": ("ingest_fps", "Pictures a second that arrive."),
    "keyframe_interval": ("ingest_keyframe_interval_seconds", "Between key pictures."),
    "av_offset": ("ingest_av_offset_seconds", "Sound ahead of the picture, by the stamps."),
    "late": ("ingest_late_seconds", "How late the stream comes, against its quickest."),
    "level": ("ingest_audio_level_dbfs", "Root mean square of the sound."),
    "speed": ("encoding_speed", "Seconds of media in a second of work."),
    "queue": ("encoding_queue", "Pictures waiting at the slowest encoder."),
}
COUNTERS: Mapping[str, tuple[str, str]] = {
    "bytes": ("ingest_bytes", "Bytes that arrived from this publisher."),
    "frames": ("frames", "Pictures encoded."),
    "frames_dropped": ("frames_dropped", "Pictures left out: early, late or too many."),
    "frames_repeated": ("frames_repeated", "Pictures shown again to fill holes."),
    "frames_damaged": ("frames_damaged", "Pictures and sounds that could not be decoded."),
    "frames_lost": ("frames_lost", "Pictures that the publisher left out."),
    "dropped": ("frames_unfed", "Pictures that the worker was too slow to take."),
    "timestamp_jumps": ("timestamp_jumps", "Jumps of the publisher's clock."),
    "worker_restarts": ("worker_restarts", "Deaths of the transcoding worker."),
}
STATES = ("live", "interrupted")


def families(states: Iterable[tuple[str, LiveState]]) -> list[Metric]:
    """Make every channel's figures of what is told of it."""
    gauges = {key: GaugeMetricFamily(_name(n), h, labels=_LABELS) for key, (n, h) in GAUGES.items()}
    counters = {
        key: CounterMetricFamily(_name(n), h, labels=_LABELS) for key, (n, h) in COUNTERS.items()
    }
    peak = GaugeMetricFamily(_name("ingest_audio_peak_dbfs"), "The loudest sample.", labels=_LABELS)
    warning = GaugeMetricFamily(
        _name("warning"), "1 for each warning that stands.", labels=(*_LABELS, "code", "severity")
    )
    state = GaugeMetricFamily(
        _name("state"), "1 for the state that the channel is in.", labels=(*_LABELS, "state")
    )
    for channel, told in states:
        ingest = told.ingest
        for name in STATES:
            state.add_metric((channel, name), float(told.state == name))
        for standing in told.warnings:
            warning.add_metric((channel, str(standing["code"]), str(standing["severity"])), 1.0)
        for key, gauge in gauges.items():
            if (value := _number(ingest.get(key))) is not None:
                gauge.add_metric((channel,), value)
        for key, counter in counters.items():
            if (value := _number(ingest.get(key))) is not None:
                counter.add_metric((channel,), value)
        peaks = [_number(ingest.get(key)) for key in ("peak_left", "peak_right")]
        known = [value for value in peaks if value is not None]
        if known:
            peak.add_metric((channel,), max(known))
    return [state, warning, *gauges.values(), peak, *counters.values()]


def _name(name: str) -> str:
    return f"vitrine_channel_{name}"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
