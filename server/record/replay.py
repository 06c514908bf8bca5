"""Replay playlists: a recording as RFC 8216bis has it, whole from the start. Pure.

Names are those of the live path, so a cache that has a segment from there has it for good. What
was not recorded is a gap (EXT-X-GAP) of the same length in every rendition.
"""

from __future__ import annotations

from collections.abc import Iterator

from ingest.unit import TICKS_PER_SECOND
from server.hls.bandwidth import mean_bit_rate, peak_bit_rate
from server.hls.multivariant import NO_CAPTIONS
from server.instant import rfc3339
from server.record.recording import RecordedSegment, RecordedTrack, Recording

VERSION = 6
"""EXT-X-MAP outside I-frame playlists is the newest thing written (section 8)."""
FIRST_MSN = 1
"""As on the live path: hls.js takes 0 for no number."""


def media_playlist(recording: Recording, rendition: str) -> str:
    """Write a known rendition's playlist: VOD, every segment with its date (4.4.3.5, 4.4.4.6)."""
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{recording.target_duration}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        f"#EXT-X-MEDIA-SEQUENCE:{FIRST_MSN}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    lines += [each.line() for each in recording.ranges]
    init: str | None = None
    for segment in recording.renditions[rendition]:
        lines += _segment(segment, init)
        init = segment.init or init
    lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def multivariant_playlist(recording: Recording) -> str:
    """Write every rendition that has media, best first, audio only last (4.4.6.2)."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for name, segments in recording.renditions.items():
        track = recording.track(name)
        if track is not None:
            lines += _variant(track, segments, recording.target_duration)
    return "\n".join(lines) + "\n"


def bit_rates(segments: tuple[RecordedSegment, ...], target_duration: int) -> tuple[int, int]:
    """Measure the peak and the mean bit rate: BANDWIDTH and AVERAGE-BANDWIDTH (4.4.6.2).

    Gaps count for neither.
    """
    spans = [(segment.size, segment.duration) for segment in segments if not segment.gap]
    mean = mean_bit_rate(spans) or 0
    peak = peak_bit_rate(spans, target_duration * TICKS_PER_SECOND)
    return max(peak or 0, mean), mean


def _variant(
    track: RecordedTrack, segments: tuple[RecordedSegment, ...], target_duration: int
) -> Iterator[str]:
    peak, mean = bit_rates(segments, target_duration)
    pairs = [f"BANDWIDTH={peak}", f"AVERAGE-BANDWIDTH={mean}", f'CODECS="{track.codecs}"']
    if track.width:
        pairs.append(f"RESOLUTION={track.width}x{track.height}")
        if track.frame_rate is not None:
            pairs.append(f"FRAME-RATE={float(track.frame_rate):.3f}")
    pairs.append(NO_CAPTIONS)
    yield "#EXT-X-STREAM-INF:" + ",".join(pairs)
    yield f"{track.name}/index.m3u8"


def _segment(segment: RecordedSegment, last_init: str | None) -> Iterator[str]:
    if segment.discontinuity:
        yield "#EXT-X-DISCONTINUITY"
    if segment.init is not None and (segment.discontinuity or segment.init != last_init):
        yield f'#EXT-X-MAP:URI="{segment.init}"'
    yield f"#EXT-X-PROGRAM-DATE-TIME:{rfc3339(segment.pdt_ms)}"
    if segment.gap:
        yield "#EXT-X-GAP"
    yield f"#EXTINF:{segment.duration / TICKS_PER_SECOND:.5f},"
    yield segment.name
