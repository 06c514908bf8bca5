"""What can be wrong with how pictures are sent: key pictures, bit rate, frame rate, B-frames.

Pure; each function judges one rule, see `server.live.rules`.
"""

from __future__ import annotations

from ingest.unit import VideoCodec
from server.live.coach import Finding, Sight, Trend
from server.live.rules_line import STREAMING, frames_lost, mbit

LONGEST_KEY_INTERVAL = 4.0
"""Seconds. Beyond it a viewer who joins, and a restarted worker, wait noticeably."""
KEY_VARIES = 1.5
KEY_VARIES_SECONDS = 0.5
LOWEST_BITS = 0.02
"""Bits for a pixel of H.264: 1.2 Mbit/s at 1080p30, a mush on every encoder."""
THRIFTY = 0.5
"""Share of H.264's bits with which the newer codecs do."""
HIGHEST_BITRATE = 15_000_000
LOWEST_FPS = 20.0
SHORT_FPS = 0.85
"""Of the announced frame rate."""
UNEVEN = 0.2
STILL_SECONDS = 2.0
"""A picture that stands still needs hardly any bits."""


def keyframe_interval(sight: Sight, _: Trend) -> Finding | None:
    longest = sight.beat.key_longest
    if longest <= LONGEST_KEY_INTERVAL:
        return None
    known = "" if sight.beat.key_shortest else "over "
    return Finding(
        f"Keyframe interval is {known}{longest:.0f} s.",
        f"Set 2 s in {STREAMING} > Keyframe Interval.",
    )


def keyframe_varies(sight: Sight, _: Trend) -> Finding | None:
    shortest, longest = sight.beat.key_shortest, sight.beat.key_longest
    steady = longest <= max(shortest * KEY_VARIES, shortest + KEY_VARIES_SECONDS)
    if not shortest or steady or longest > LONGEST_KEY_INTERVAL:
        return None
    return Finding(
        f"Keyframes come every {shortest:.1f} to {longest:.1f} s.",
        f"Set 2 s, not 0 (auto), in {STREAMING} > Keyframe Interval.",
    )


def bitrate_low(sight: Sight, _: Trend) -> Finding | None:
    health = sight.health
    if health is None or health.black or health.frozen_seconds > STILL_SECONDS:
        return None
    thrift = 1.0 if sight.video is VideoCodec.H264 else THRIFTY
    least = LOWEST_BITS * thrift * health.width * health.height * sight.beat.fps
    if not 0 < health.video_bitrate < least:
        return None
    return Finding(
        f"{mbit(health.video_bitrate)} is little for {health.width}x{health.height}"
        f" at {sight.beat.fps:.0f} pictures a second.",
        f"In {STREAMING} > Bitrate: {mbit(round(least * 3))} or more with Rate Control CBR,"
        " or a smaller Output (Scaled) Resolution in Settings > Video.",
    )


def bitrate_high(sight: Sight, _: Trend) -> Finding | None:
    if sight.bitrate <= HIGHEST_BITRATE:
        return None
    return Finding(
        f"{mbit(sight.bitrate)} is more than viewers can profit from.",
        f"In {STREAMING} > Bitrate: 6000 Kbps serves 1080p; more only risks dropped frames.",
    )


def fps_low(sight: Sight, _: Trend) -> Finding | None:
    fps = sight.beat.fps
    if not 0 < fps < LOWEST_FPS:
        return None
    return Finding(
        f"{fps:.0f} pictures a second look jerky.",
        "In OBS: Settings > Video > Common FPS Values: set 30; check the camera's own frame rate.",
    )


def fps_short(sight: Sight, _: Trend) -> Finding | None:
    fps = sight.beat.fps
    if not 0 < fps < SHORT_FPS * sight.announced_fps or fps < LOWEST_FPS:
        return None
    return Finding(
        f"{fps:.0f} of {sight.announced_fps:.0f} pictures a second arrive.",
        "The encoder cannot keep up: choose a faster preset or a hardware encoder in"
        " OBS: Settings > Output > Streaming, or 30 in Settings > Video > Common FPS Values.",
    )


def fps_uneven(sight: Sight, trend: Trend) -> Finding | None:
    if sight.beat.uneven <= UNEVEN or frames_lost(sight, trend):
        return None
    return Finding(
        f"{sight.beat.uneven:.0%} of the pictures come out of step.",
        "Set one frame rate for all, in OBS: Settings > Video > Common FPS Values, and the same"
        " in the camera's properties; on phones turn variable frame rate off.",
    )


def b_frames(sight: Sight, _: Trend) -> Finding | None:
    if sight.health is None or not sight.health.b_frames:
        return None
    return Finding(
        "B-frames are on; each adds the time of a picture to your delay.",
        f"For the least delay, in {STREAMING} > Max B-frames 0, or Tune zerolatency with x264.",
    )
