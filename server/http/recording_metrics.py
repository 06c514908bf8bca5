"""What recording tells Prometheus: sampled on the loop, from figures that others count."""

from __future__ import annotations

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from server.record.service import Recordings


def families(recordings: Recordings) -> list[Metric]:
    """Make the families `vitrine_recording_...`."""
    figures, recorder, space = recordings.figures, recordings.recorder, recordings.room.space
    found: list[Metric] = [
        _counter("written_bytes", "Bytes of media written.", figures.written_bytes),
        _counter("segments", "Segments written, of all renditions.", figures.segments),
        _counter("lost_segments", "Segments left out: gaps in replays.", figures.lost_segments),
        _counter("refused_parts", "Parts that found the queue full.", figures.refused_parts),
        _gauge("queue_bytes", "Bytes that wait to be written.", recordings.waiting_bytes),
    ]
    if recorder is not None:
        found += [
            _gauge("sessions", "Sessions being recorded.", recorder.count),
            _gauge("troubled", "Sessions that are not recorded just now.", recorder.troubled),
            _gauge("unsealed", "Ended recordings not closed yet.", recorder.unsealed),
        ]
    if space is not None:
        found.append(_gauge("disk_free_bytes", "Free on the disk of recordings.", space.free))
    if recordings.mirror is not None:
        mirror = recordings.mirror
        found += [
            _counter("uploaded_bytes", "Bytes brought to the store.", figures.uploaded_bytes),
            _counter("upload_failures", "Failed rounds of uploads.", figures.upload_failures),
            _gauge("uploads_waiting", "Files that wait to be uploaded.", mirror.waiting),
        ]
    return found


def _gauge(name: str, description: str, value: float) -> Metric:
    return GaugeMetricFamily(f"vitrine_recording_{name}", description, value=value)


def _counter(name: str, description: str, value: float) -> Metric:
    return CounterMetricFamily(f"vitrine_recording_{name}", description, value=value)
