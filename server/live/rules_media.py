"""What can be wrong with what is seen and heard: format, size, black, frozen, silent, clipping.

Pure; each function judges one rule, see `server.live.rules`.
"""

from __future__ import annotations

from server.live.coach import Finding, Sight, Trend
from server.live.rules_line import FEWEST_LOST, LOST_SECONDS, PICTURE_DUE_MS, STOPPED_MS
from transcode.message import Health

FRIENDLY_FORMATS = frozenset({"", "yuv420p", "yuvj420p", "nv12"})
LARGEST_SIDE = 1_080
TOO_LARGE = 1.5
"""Times the largest rung: beyond it pixels are sent that nobody gets."""
MOST_BARS = 0.2
FROZEN_SECONDS = 5.0
SILENT_DB = -60.0
HEARD_DB = -45.0
CLIPPED_SHARE = 0.002
APART_SECONDS = 0.08
USUAL_RATES = frozenset({44_100, 48_000})

_MIXER = "In OBS's Audio Mixer"


def not_decodable(sight: Sight, trend: Trend) -> Finding | None:
    health = sight.health
    if health is None or health.width or trend.grown("damaged", LOST_SECONDS) < FEWEST_LOST:
        return None
    return Finding(
        f"The picture ({health.video or 'of an unknown format'}) cannot be decoded.",
        "In OBS: Settings > Output > Streaming > Profile: high, and Settings > Advanced > Video >"
        " Color Format: NV12 (8-bit, 4:2:0).",
    )


def pixel_format(sight: Sight, _: Trend) -> Finding | None:
    if sight.health is None or sight.health.pixel_format in FRIENDLY_FORMATS:
        return None
    return Finding(
        f"The picture comes as {sight.health.pixel_format}; viewers get 8-bit 4:2:0.",
        "In OBS: Settings > Advanced > Video > Color Format: NV12 (8-bit, 4:2:0) saves bits"
        " and work.",
    )


def size_odd(sight: Sight, _: Trend) -> Finding | None:
    health = sight.health or Health()
    if not (health.width % 2 or health.height % 2):
        return None
    return Finding(
        f"{health.width}x{health.height} is an odd size; its last line or column is lost.",
        "In OBS: Settings > Video > Output (Scaled) Resolution: 1280x720 or 1920x1080, or"
        " 720x1280 or 1080x1920 for phones.",
    )


def size_large(sight: Sight, _: Trend) -> Finding | None:
    health = sight.health or Health()
    side = min(health.width, health.height)
    if side <= max(LARGEST_SIDE, TOO_LARGE * sight.largest_rung):
        return None
    return Finding(
        f"{health.width}x{health.height} is sent, viewers get {sight.largest_rung} lines at most.",
        "In OBS: Settings > Video > Output (Scaled) Resolution: 1920x1080, or 1080x1920 for"
        " phones.",
    )


def picture_bars(sight: Sight, _: Trend) -> Finding | None:
    if sight.health is None or sight.health.black or sight.health.bars < MOST_BARS:
        return None
    return Finding(
        f"{sight.health.bars:.0%} of the picture is black bars.",
        "Give the canvas the camera's shape, in OBS: Settings > Video > Base (Canvas) and Output"
        " (Scaled) Resolution, 1080x1920 for a phone held upright; then Transform > Fit to Screen.",
    )


def black(sight: Sight, _: Trend) -> Finding | None:
    if sight.health is None or not sight.health.black or _stopped(sight.picture_age_ms):
        return None
    return Finding(
        "The picture is black.",
        "Look at the preview in OBS: is the right scene on, its source visible (the eye in"
        " Sources), the lens open?",
    )


def frozen(sight: Sight, _: Trend) -> Finding | None:
    health = sight.health or Health()
    if health.black or health.frozen_seconds <= FROZEN_SECONDS or _stopped(sight.picture_age_ms):
        return None
    return Finding(
        f"The picture has not moved for {health.frozen_seconds:.0f} s.",
        "In OBS: double-click the camera in Sources and choose Deactivate, then Activate; or plug"
        " it in again. A still picture on purpose is fine.",
    )


def no_audio(sight: Sight, _: Trend) -> Finding | None:
    if sight.audio is not None or sight.video is None or not sight.started:
        return None
    return Finding(
        "No sound arrives; viewers hear silence.",
        "Check the Audio Mixer in OBS and that a microphone is chosen in Settings > Audio >"
        " Global Audio Devices.",
    )


def audio_stopped(sight: Sight, _: Trend) -> Finding | None:
    age = sight.sound_age_ms
    if sight.audio is None or not sight.started or age is None or not _stopped(age):
        return None
    if _stopped(sight.picture_age_ms):
        return None
    return Finding(
        f"No sound has come for {age / 1_000:.0f} s; viewers hear silence.",
        "Stop and start streaming in OBS; check the microphone in Settings > Audio.",
    )


def silent(sight: Sight, _: Trend) -> Finding | None:
    health = _heard(sight)
    if health is None or max(health.peak_left, health.peak_right) >= SILENT_DB:
        return None
    return Finding(
        "The sound is silent.",
        f"{_MIXER}: is the microphone muted, its fader down, or another one chosen in"
        " Settings > Audio > Global Audio Devices?",
    )


def one_sided(sight: Sight, _: Trend) -> Finding | None:
    health = _heard(sight)
    if health is None or sight.audio is None or sight.audio.channels < 2:
        return None
    weak, side = min((health.peak_left, "left"), (health.peak_right, "right"))
    if weak >= SILENT_DB or max(health.peak_left, health.peak_right) <= HEARD_DB:
        return None
    return Finding(
        f"The {side} channel is silent.",
        "In OBS: Edit > Advanced Audio Properties: tick Mono for the microphone, and set its"
        " Balance to the middle.",
    )


def mono(sight: Sight, _: Trend) -> Finding | None:
    if sight.audio is None or sight.audio.channels != 1:
        return None
    return Finding(
        "The sound is mono; viewers hear it from both sides.",
        "Fine for speech. For music, in OBS: Settings > Audio > Channels: Stereo.",
    )


def clipping(sight: Sight, _: Trend) -> Finding | None:
    health = _heard(sight)
    if health is None or health.clipped < CLIPPED_SHARE:
        return None
    return Finding(
        "The sound is too loud and distorts.",
        f"{_MIXER}: lower the fader until peaks stay in the yellow, around -10 dB; or add a"
        " Limiter in the microphone's Filters.",
    )


def av_offset(sight: Sight, _: Trend) -> Finding | None:
    offset = sight.beat.av_offset
    if offset is None or abs(offset) <= APART_SECONDS:
        return None
    if _stopped(sight.picture_age_ms) or _stopped(sight.sound_age_ms):
        return None
    which = "ahead of" if offset > 0 else "behind"
    return Finding(
        f"The sound is {abs(offset) * 1_000:.0f} ms {which} the picture.",
        "In OBS: Edit > Advanced Audio Properties > Sync Offset; look at lips or a clap in your own"
        " preview. Restart the stream first: it may be gone.",
    )


def sample_rate(sight: Sight, _: Trend) -> Finding | None:
    if sight.audio is None or sight.audio.sample_rate in USUAL_RATES:
        return None
    return Finding(
        f"The sound comes at {sight.audio.sample_rate / 1_000:g} kHz.",
        "In OBS: Settings > Audio > Sample Rate: 48 kHz; check the microphone's own setting too.",
    )


def _heard(sight: Sight) -> Health | None:
    """Give the report where sound has been decoded lately."""
    age = sight.sound_age_ms
    waited = sight.waited_ms > PICTURE_DUE_MS or sight.started
    return (
        sight.health if sight.audio and age is not None and not _stopped(age) and waited else None
    )


def _stopped(age_ms: int | None) -> bool:
    return age_ms is not None and age_ms > STOPPED_MS
