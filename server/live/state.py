"""What is told of a channel's broadcast: to the anchor, the operator and the pages.

Reads the stream as it is now; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from server.instant import rfc3339
from server.live.coach import Notice, Severity
from server.live.pace import Beat
from server.live.stopped import KeptOff
from server.live.stream import LiveStream
from transcode.message import Health


@dataclass(frozen=True, slots=True)
class LiveState:
    state: str
    """`offline`, `live`, or `interrupted`: begun, and its publisher lost for the moment."""
    session: str | None = None
    started_at: int | None = None
    """PDT of the first picture, UTC ms."""
    ingest: Mapping[str, object] = field(default_factory=dict)
    renditions: tuple[Mapping[str, object], ...] = ()
    warnings: tuple[Mapping[str, object], ...] = ()
    """Each with a stable `code`, its severity, what is the matter, what to do, since when."""


def describe(stream: LiveStream | None, now_ms: int, kept_off: KeptOff | None = None) -> LiveState:
    """Describe a stream; None, or one that has not begun with a picture, is `offline`.

    `kept_off` is of the broadcast before, which was stopped.
    """
    if stream is None or stream.ending:
        warnings = warnings_json((_refused(kept_off),)) if kept_off else ()
        return LiveState("offline", warnings=warnings)
    warnings = warnings_json(stream.coach.notices if stream.publisher else _away(stream))
    if stream.started_ms is None:
        return LiveState("offline", ingest=_ingest(stream, now_ms), warnings=warnings)
    return LiveState(
        "interrupted" if stream.interrupted else "live",
        stream.session,
        stream.started_ms,
        _ingest(stream, now_ms),
        _renditions(stream),
        warnings,
    )


def _away(stream: LiveStream) -> tuple[Notice, ...]:
    """Tell an anchor whose connection was lost what viewers see and what to do."""
    if not stream.interrupted:
        return ()
    left = f"{stream.grace_left:.0f} s"
    viewers = "Viewers are told that you will be right back."
    said = f"The connection of your encoder was lost. {viewers}"
    advice = f"Start streaming again with the same key within {left}: the show goes on as it was."
    if stream.turned_out:
        said = f"{stream.turned_out} {viewers}"
        advice = f"Start streaming with the new key within {left}: the show goes on as it was."
    return (Notice("interrupted", Severity.ERROR, said, advice, stream.lost_ms),)


def _refused(kept_off: KeptOff) -> Notice:
    said = "The broadcast was ended, and its encoder still tries to go on."
    advice = (
        "Stop streaming in the encoder. To go on the air again with the same key, start after"
        f" {kept_off.seconds} s; a new key may at once."
    )
    return Notice("ended-by-request", Severity.WARNING, said, advice, kept_off.since_ms)


def warnings_json(notices: Iterable[Notice]) -> tuple[dict[str, object], ...]:
    """Write what the coach says as the API does."""
    return tuple(map(warning_json, notices))


def warning_json(notice: Notice) -> dict[str, object]:
    return {
        "code": notice.code,
        "severity": notice.severity.value,
        "message": notice.message,
        "advice": notice.advice,
        "since": rfc3339(notice.since_ms),
    }


def _ingest(stream: LiveStream, now_ms: int) -> dict[str, object]:
    figures, health = stream.figures, stream.figures.health
    bitrates, pictures = figures.arrival.history(now_ms)
    told: dict[str, object] = {
        "protocol": stream.protocol,
        "peer": stream.publisher.peer if stream.publisher else None,
        "encoder": figures.info.encoder or None,
        "bitrate": figures.bitrate(now_ms),
        "bytes": figures.bytes,
        "video": figures.video.codec.value if figures.video else None,
        "audio": figures.audio.codec.value if figures.audio else None,
        "sample_rate": figures.audio.sample_rate if figures.audio else None,
        "channels": figures.audio.channels if figures.audio else None,
        "worker_restarts": stream.supervisor.restarts,
        "dropped": stream.supervisor.dropped,
        "late": figures.arrival.late_ms(now_ms) / 1_000,
        "since_picture": _seconds_since(figures.picture_ms, now_ms),
        "since_sound": _seconds_since(figures.sound_ms, now_ms),
        "history": {"bitrate": bitrates, "fps": pictures},
    }
    told |= _stamps(figures.beat)
    if health is not None:
        told |= _picture(health) | _sound(health) | _work(health)
    return told


def _stamps(beat: Beat) -> dict[str, object]:
    return {
        "source_fps": round(beat.fps, 2),
        "keyframe_interval": round(beat.key_interval, 2),
        "keyframe_longest": round(beat.key_longest, 2),
        "keyframe_shortest": round(beat.key_shortest, 2),
        "frames_lost": beat.lost,
        "av_offset": _rounded(beat.av_offset),
        "start_offset": _rounded(beat.start_offset),
    }


def _picture(health: Health) -> dict[str, object]:
    return {
        "width": health.width,
        "height": health.height,
        "fps": round(health.fps, 2),
        "nominal_fps": round(health.nominal_fps, 2),
        "codec": health.video,
        "pixel_format": health.pixel_format or None,
        "video_bitrate": health.video_bitrate,
        "b_frames": health.b_frames,
        "black": health.black,
        "bars": round(health.bars, 2),
        "frozen_seconds": round(health.frozen_seconds, 1),
    }


def _sound(health: Health) -> dict[str, object]:
    return {
        "audio_bitrate": health.audio_bitrate,
        "level": health.level,
        "peak_left": health.peak_left,
        "peak_right": health.peak_right,
        "clipped": round(health.clipped, 4),
    }


def _work(health: Health) -> dict[str, object]:
    return {
        "frames": health.frames,
        "frames_repeated": health.repeated,
        "frames_dropped": health.dropped,
        "frames_damaged": health.damaged,
        "timestamp_jumps": health.jumps,
        "queue": health.queue,
        "speed": round(health.speed, 2),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _seconds_since(then_ms: int | None, now_ms: int) -> float | None:
    return None if then_ms is None else max(0, now_ms - then_ms) / 1_000


def _renditions(stream: LiveStream) -> tuple[Mapping[str, object], ...]:
    return tuple(
        {
            "name": track.name,
            "width": track.width,
            "height": track.height,
            "fps": round(float(track.frame_rate), 3) if track.frame_rate else None,
            "bitrate": track.bandwidth,
        }
        for track in stream.runs.window.tracks
    )
