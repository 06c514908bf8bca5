"""Renditions in step: the same segments under the same msn, a gap where one lacks its own.

Pure: standard library and values only. RFC 8216bis 6.2.1 (EXT-X-GAP), 6.2.4.
"""

from __future__ import annotations

from ingest.unit import TICKS_PER_MS
from server.hls.depth import Depth
from server.hls.rendition import Rendition, Span

LAG_SEGMENTS = 3
"""A rendition this far behind the first gets a gap: its players must not starve."""


class Lockstep:
    """The renditions of a window, by name, and where each late segment of the epoch lies."""

    def __init__(self, depth: Depth) -> None:
        self.renditions: dict[str, Rendition] = {}
        self.target_duration = 0
        """Seconds; 0 before the first epoch."""
        self._depth = depth
        self._spans: dict[int, Span] = {}

    def begin(self) -> None:
        """Begin an epoch; all renditions are level."""
        self._spans.clear()

    def finish(self, rendition: Rendition) -> None:
        """Close the rendition's growing segment and remember where it lay."""
        msn = rendition.next_msn
        span = rendition.close()
        if span is not None:
            self._spans.setdefault(msn, span)
            self._settle(rendition)

    def fill(
        self, rendition: Rendition, msn: int, hole: Span | None = None, most_ms: int = 0
    ) -> None:
        """Give up what the rendition lacks before `msn`.

        `hole` is the time since its last segment, shared out among those that no
        rendition has, `most_ms` at most to each.
        """
        lacking = msn - rendition.next_msn - (rendition.growing is not None)
        while rendition.next_msn < msn:
            if rendition.growing is not None:
                self.finish(rendition)
                continue
            span = self._spans.get(rendition.next_msn)
            if span is None:
                left = msn - rendition.next_msn
                span = _share(hole or Span(rendition.end_ms or 0, 0), lacking - left, lacking)
                span = Span(span.pdt_ms, min(span.duration, most_ms * TICKS_PER_MS))
                self._spans[rendition.next_msn] = span
            self._skip(rendition, span)

    def keep(self, msn: int) -> None:
        """After `msn` is whole somewhere: gaps for those without a track or too far behind."""
        for rendition in self.renditions.values():
            if rendition.track is None:
                self.fill(rendition, msn + 1)
            elif rendition.next_msn <= msn - LAG_SEGMENTS:
                self.fill(rendition, msn - LAG_SEGMENTS + 1)
        for old in [known for known in self._spans if known <= msn - 2 * LAG_SEGMENTS]:
            del self._spans[old]

    def lapse(self, span: Span) -> None:
        """Append a gap over `span` to every rendition; all are level."""
        for rendition in self.renditions.values():
            self._skip(rendition, span)

    def level(self) -> None:
        """Close every growing segment and bring all renditions to one msn."""
        for rendition in self.renditions.values():
            self.finish(rendition)
        msn = max((rendition.next_msn for rendition in self.renditions.values()), default=0)
        for rendition in self.renditions.values():
            self.fill(rendition, msn)

    def _skip(self, rendition: Rendition, span: Span) -> None:
        rendition.skip(span)
        self._settle(rendition)

    def _settle(self, rendition: Rendition) -> None:
        self._depth.settle(rendition, self.renditions, self.target_duration)


def _share(hole: Span, position: int, count: int) -> Span:
    share = hole.duration // count
    return Span(hole.pdt_ms + position * share // TICKS_PER_MS, share)
