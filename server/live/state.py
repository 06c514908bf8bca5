"""What is told of a channel's broadcast: to the anchor, the operator and the pages.

Reads the stream as it is now; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from server.live.stream import LiveStream
from transcode.message import Health

LONGEST_KEY_INTERVAL = 4.0
"""Seconds. Beyond it a viewer who joins, and a restarted worker, wait noticeably."""
PICTURE_DUE_MS = 6_000
"""Longer than any sensible key interval: by then a picture should have come."""
NO_PICTURE: Mapping[str, object] = MappingProxyType(
    {
        "code": "no-picture",
        "message": "An encoder is connected, but no picture has come that can be shown.",
        "advice": "Send H.264 video with a key picture every 2 s; in OBS check the scene and"
        " Settings > Output > Streaming > Video Encoder.",
    }
)
FAILING_RESTARTS = 2
"""A worker that dies once may have met one bad picture; twice before any picture: it will again."""
MOST_WORDS = 300
"""Characters of a dead worker's last words that are told."""
BEHIND = 0.9
"""Encoding speed, of real time, below which a warning is due."""


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
    """Each with a stable `code`, what is the matter, and what to do."""


def describe(stream: LiveStream | None, now_ms: int) -> LiveState:
    """Describe a stream; None, or one that has not begun with a picture, is `offline`."""
    if stream is None or stream.ending:
        return LiveState("offline")
    if stream.started_ms is None:
        warnings = tuple(_pictureless(stream, now_ms))
        return LiveState("offline", ingest=_ingest(stream, now_ms), warnings=warnings)
    return LiveState(
        "interrupted" if stream.interrupted else "live",
        stream.session,
        stream.started_ms,
        _ingest(stream, now_ms),
        _renditions(stream),
        tuple(_warnings(stream)),
    )


def _pictureless(stream: LiveStream, now_ms: int) -> Iterator[Mapping[str, object]]:
    supervisor = stream.supervisor
    if supervisor.restarts >= FAILING_RESTARTS:
        words = supervisor.last_words[-1] if supervisor.last_words else "no reason given"
        yield {
            "code": "worker-failing",
            "message": f"The server cannot transcode this stream: {words[:MOST_WORDS]}",
            "advice": "It is the server's settings or the stream's format, not your scene.",
        }
    elif stream.attached_ms and now_ms - stream.attached_ms > PICTURE_DUE_MS:
        yield NO_PICTURE


def _ingest(stream: LiveStream, now_ms: int) -> dict[str, object]:
    figures, health = stream.figures, stream.figures.health
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
    }
    if health is not None:
        told |= _health(health)
    return told


def _health(health: Health) -> dict[str, object]:
    return {
        "width": health.width,
        "height": health.height,
        "fps": round(health.fps, 2),
        "codec": health.video,
        "keyframe_interval": health.keyframe_interval,
        "frames_repeated": health.repeated,
        "frames_dropped": health.dropped,
        "frames_damaged": health.damaged,
        "speed": round(health.speed, 2),
    }


def _renditions(stream: LiveStream) -> tuple[Mapping[str, object], ...]:
    return tuple(
        {
            "name": track.name,
            "width": track.width,
            "height": track.height,
            "fps": round(float(track.frame_rate), 3) if track.frame_rate else None,
            "bitrate": track.bandwidth,
        }
        for track in stream.window.tracks
    )


def _warnings(stream: LiveStream) -> list[dict[str, object]]:
    warnings: list[dict[str, object]] = []
    health = stream.figures.health
    if health is not None and health.keyframe_interval > LONGEST_KEY_INTERVAL:
        warnings.append(
            {
                "code": "keyframe-interval",
                "message": f"Keyframe interval is {health.keyframe_interval:.0f} s.",
                "advice": "Set 2 s in OBS: Settings > Output > Streaming > Keyframe Interval.",
            }
        )
    if health is not None and 0 < health.speed < BEHIND:
        warnings.append(
            {
                "code": "encoding-behind",
                "message": f"Encoding runs at {health.speed:.0%} of real time.",
                "advice": "Choose a profile with fewer renditions, or a faster machine.",
            }
        )
    if stream.figures.audio is None:
        warnings.append(
            {
                "code": "no-audio",
                "message": "No sound arrives; viewers hear silence.",
                "advice": "Check the Audio Mixer in OBS and that a microphone is chosen.",
            }
        )
    warnings.extend(
        {
            "code": "card-not-drawn",
            "message": problem,
            "advice": "Pin the product again once its picture or text is mended.",
        }
        for problem in stream.problems
    )
    return warnings
