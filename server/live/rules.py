"""Every warning the coach knows, in the order in which they are told. Pure.

docs/coach.md says of each what it means; a test holds the two together.
"""

from __future__ import annotations

from server.live import rules_line as line
from server.live import rules_media as media
from server.live import rules_pace as pace
from server.live.coach import Rule, Severity

_INFO, _WARNING, _ERROR = Severity.INFO, Severity.WARNING, Severity.ERROR

RULES: tuple[Rule, ...] = (
    Rule("worker-failing", _ERROR, line.worker_failing, comes=0, goes=10),
    Rule("two-encoders", _ERROR, line.two_encoders, comes=0, goes=5),
    Rule("not-decodable", _ERROR, media.not_decodable),
    Rule("no-picture", _ERROR, line.no_picture, comes=0, goes=0),
    Rule("video-stopped", _ERROR, line.video_stopped, comes=0, goes=2),
    Rule("encoding-behind", _WARNING, line.encoding_behind, comes=4, goes=8),
    Rule("connection-slow", _WARNING, line.connection_slow, comes=3, goes=10),
    Rule("frames-lost", _WARNING, line.frames_lost, comes=2, goes=10),
    Rule("bitrate-unstable", _WARNING, line.bitrate_unstable, comes=5, goes=15),
    Rule("timestamp-jumps", _WARNING, line.timestamp_jumps, comes=0, goes=10),
    Rule("pictures-damaged", _WARNING, line.damaged, comes=2, goes=10),
    Rule("black", _WARNING, media.black, comes=4, goes=2),
    Rule("frozen", _WARNING, media.frozen, comes=0, goes=2),
    Rule("no-audio", _WARNING, media.no_audio, comes=3, goes=0),
    Rule("audio-stopped", _WARNING, media.audio_stopped, comes=0, goes=2),
    Rule("silent", _WARNING, media.silent, comes=5, goes=2),
    Rule("one-sided", _WARNING, media.one_sided, comes=8, goes=3),
    Rule("clipping", _WARNING, media.clipping, comes=2, goes=8),
    Rule("av-offset", _WARNING, media.av_offset, comes=4, goes=6),
    Rule("keyframe-interval", _WARNING, pace.keyframe_interval, comes=1, goes=5),
    Rule("bitrate-low", _WARNING, pace.bitrate_low, comes=10, goes=8),
    Rule("fps-low", _WARNING, pace.fps_low, comes=5, goes=5),
    Rule("fps-short", _WARNING, pace.fps_short, comes=8, goes=8),
    Rule("fps-uneven", _WARNING, pace.fps_uneven, comes=8, goes=10),
    Rule("picture-bars", _WARNING, media.picture_bars, comes=10, goes=3),
    Rule("size-odd", _WARNING, media.size_odd, comes=2, goes=2),
    Rule("sample-rate", _WARNING, media.sample_rate, comes=2, goes=2),
    Rule("card-not-drawn", _WARNING, line.card_not_drawn, comes=0, goes=0),
    Rule("audio-only", _INFO, line.audio_only, comes=0, goes=0),
    Rule("bitrate-high", _INFO, pace.bitrate_high, comes=5, goes=5),
    Rule("size-large", _INFO, media.size_large, comes=2, goes=2),
    Rule("pixel-format", _INFO, media.pixel_format, comes=2, goes=2),
    Rule("keyframe-varies", _INFO, pace.keyframe_varies, comes=5, goes=10),
    Rule("b-frames", _INFO, pace.b_frames, comes=2, goes=2),
    Rule("mono", _INFO, media.mono, comes=2, goes=2),
)
