"""Snapshots of a window: the playlists as they stand now. Pure: values only."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.unit import TICKS_PER_SECOND
from server.hls.bandwidth import mean_bit_rate, peak_bit_rate
from server.hls.multivariant import MultivariantPlaylist, Variant
from server.hls.playlist import MediaPlaylist, RenditionReport
from server.hls.window import Window
from transcode.part import Track

LEAST_MEASURED = 3
"""Segments from which a peak is told; before, the encoder's word is."""
HEADROOM = 20
"""The measured peak is told a 20th higher: of segments to come some are a little larger."""


def media_playlist(window: Window, name: str) -> MediaPlaylist:
    """Take a snapshot of a known rendition's playlist."""
    rendition = window.renditions[name]
    growing = rendition.growing
    return MediaPlaylist(
        target_duration=window.target_duration,
        part_target_ms=window.part_target_ms,
        segments=(*rendition.segments, *([growing] if growing else [])),
        hint=None if window.ended else rendition.hint,
        media_sequence=rendition.first_msn,
        discontinuity_sequence=rendition.discontinuity_sequence,
        date_ranges=window.date_ranges,
        reports=tuple(_reports(window, name)),
        ended=window.ended,
    )


def multivariant_playlist(window: Window) -> MultivariantPlaylist:
    """Take a snapshot of the multivariant playlist: the current epoch's tracks."""
    tracks = sorted(window.tracks, key=lambda track: track.width == 0)
    return MultivariantPlaylist(tuple(_variant(window, track) for track in tracks))


def _variant(window: Window, track: Track) -> Variant:
    listed = window.renditions[track.name].segments
    spans = [(segment.size, segment.duration) for segment in listed if not segment.gap]
    peak = None
    if len(spans) >= LEAST_MEASURED:
        peak = peak_bit_rate(spans, window.target_duration * TICKS_PER_SECOND)
    return Variant(
        uri=f"{track.name}/index.m3u8",
        bandwidth=peak + peak // HEADROOM if peak else track.bandwidth,
        average_bandwidth=mean_bit_rate(spans),
        codecs=track.codecs,
        width=track.width,
        height=track.height,
        frame_rate=track.frame_rate,
    )


def _reports(window: Window, name: str) -> Iterator[RenditionReport]:
    """Report the other renditions (4.4.5.4, appendix B.1)."""
    for track in window.tracks:
        rendition = window.renditions[track.name]
        last_msn = rendition.next_msn - (rendition.growing is None)
        count = rendition.part_count(last_msn)
        if track.name != name and (count or rendition.segments):
            last_part = count - 1 if count else None
            yield RenditionReport(f"../{track.name}/index.m3u8", last_msn, last_part)
