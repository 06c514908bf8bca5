"""What can be wrong on the way: the connection, the encoder, the server itself.

Pure; each function judges one rule, see `server.live.rules`.
"""

from __future__ import annotations

from server.live.coach import Finding, Sight, Trend

PICTURE_DUE_MS = 6_000
"""Longer than any sensible key interval: by then a picture should have come."""
STOPPED_MS = 3_000
FAILING_RESTARTS = 2
"""A worker that dies once may have met one bad picture; twice: it will again."""
RESTARTS_SECONDS = 60
MOST_WORDS = 300
"""Characters of a dead worker's last words that are told."""
BEHIND = 0.9
"""Encoding speed, of real time, below which a warning is due."""
LATE_MS = 2_000
BURST_MS = 1_000
LOST_SECONDS = 10
LOST_SHARE = 0.01
FEWEST_LOST = 3
JUMPS_SECONDS = 20
TAKEOVER_SECONDS = 60
FEWEST_TAKEOVERS = 3
"""Once is meant, twice is there and back."""

STREAMING = "OBS: Settings > Output > Streaming"


def worker_failing(sight: Sight, trend: Trend) -> Finding | None:
    lately = trend.grown("restarts", RESTARTS_SECONDS)
    if sight.restarts < FAILING_RESTARTS or (sight.started and lately < FAILING_RESTARTS):
        return None
    words = sight.last_words or "no reason given"
    return Finding(
        f"The server cannot transcode this stream: {words[:MOST_WORDS]}",
        "It is the server's settings or the stream's format, not your scene.",
    )


def two_encoders(_: Sight, trend: Trend) -> Finding | None:
    count = trend.grown("takeovers", TAKEOVER_SECONDS)
    if count < FEWEST_TAKEOVERS:
        return None
    return Finding(
        f"Encoders took over from each other {count} times in the last minute:"
        " two of them stream with this key, and each turns the other out.",
        "Stop streaming in one of them. If it is not yours, replace the stream key.",
    )


def no_picture(sight: Sight, _: Trend) -> Finding | None:
    if sight.started or sight.waited_ms <= PICTURE_DUE_MS or sight.restarts >= FAILING_RESTARTS:
        return None
    return Finding(
        "An encoder is connected, but no picture has come that can be shown.",
        "Send H.264 video with a key picture every 2 s; in OBS check the scene and"
        " Settings > Output > Streaming > Video Encoder.",
    )


def video_stopped(sight: Sight, _: Trend) -> Finding | None:
    age = sight.picture_age_ms
    if not sight.started or age is None or age <= STOPPED_MS:
        return None
    return Finding(
        f"No picture has come for {age / 1_000:.0f} s; viewers see the last one.",
        "Check the camera and the encoder's load; in OBS, Stats shows frames missed.",
    )


def audio_only(sight: Sight, _: Trend) -> Finding | None:
    if sight.video is not None or sight.audio is None or not sight.started:
        return None
    return Finding(
        "Only sound is sent; viewers see no picture.",
        "If a picture is meant to be there, check the scene and the Video Encoder in OBS.",
    )


def connection_slow(sight: Sight, _: Trend) -> Finding | None:
    if sight.late_ms <= LATE_MS:
        return None
    return Finding(
        f"The stream arrives {sight.late_ms / 1_000:.1f} s late: "
        f"{mbit(sight.bitrate)} is more than your connection takes.",
        f"In {STREAMING} > Bitrate: set three quarters of your upload speed or less; use a cable.",
    )


def frames_lost(sight: Sight, trend: Trend) -> Finding | None:
    lost, came = trend.grown("lost", LOST_SECONDS), trend.grown("pictures", LOST_SECONDS)
    if lost < FEWEST_LOST or lost <= LOST_SHARE * (came + lost):
        return None
    return Finding(
        f"Your encoder left out {lost} pictures in the last {LOST_SECONDS} s.",
        "Dropped frames in OBS's Stats: lower the Bitrate in Settings > Output > Streaming."
        " Skipped or missed frames: choose a faster preset or a hardware encoder there.",
    )


def bitrate_unstable(sight: Sight, _: Trend) -> Finding | None:
    if sight.burst_ms <= BURST_MS or sight.late_ms > LATE_MS:
        return None
    return Finding(
        f"The stream arrives in bursts, up to {sight.burst_ms / 1_000:.1f} s apart.",
        "Use a cable instead of Wi-Fi, stop other uploads, or lower the Bitrate in"
        " OBS: Settings > Output > Streaming.",
    )


def timestamp_jumps(_: Sight, trend: Trend) -> Finding | None:
    jumps = trend.grown("jumps", JUMPS_SECONDS)
    if not jumps:
        return None
    return Finding(
        f"The encoder's clock jumped {_times(jumps)}; each jump is a short break for viewers.",
        "Stop and start streaming in OBS; if it comes back, untick Use Device Timestamps in the"
        " properties of the audio source.",
    )


def damaged(_: Sight, trend: Trend) -> Finding | None:
    count = trend.grown("damaged", LOST_SECONDS)
    if count < FEWEST_LOST:
        return None
    return Finding(
        f"{count} pictures or sounds in the last {LOST_SECONDS} s were damaged.",
        "Restart the stream; if it stays, choose another Video Encoder in OBS:"
        " Settings > Output > Streaming.",
    )


def encoding_behind(sight: Sight, trend: Trend) -> Finding | None:
    unfed = trend.grown("unfed", LOST_SECONDS)
    speed = sight.health.speed if sight.health else 0.0
    if not unfed and not 0 < speed < BEHIND:
        return None
    how = f"encoding runs at {speed:.0%} of real time"
    if unfed:
        how = f"it left out {unfed} pictures in the last {LOST_SECONDS} s"
    return Finding(
        f"The server is too slow: {how}.",
        "It is not your encoder. The operator can choose a profile with fewer renditions,"
        " or a faster machine.",
    )


def card_not_drawn(sight: Sight, _: Trend) -> Finding | None:
    if not sight.problems:
        return None
    return Finding(
        " ".join(sight.problems), "Pin the product again once its picture or text is mended."
    )


def mbit(bitrate: int) -> str:
    return f"{bitrate / 1e6:.1f} Mbit/s" if bitrate >= 1_000_000 else f"{bitrate // 1000} kbit/s"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
