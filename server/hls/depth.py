"""How far back the playlists of one window reach, and which bodies memory keeps for them.

Pure: values only. RFC 8216bis 6.2.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.unit import TICKS_PER_SECOND
from server.hls.archive import Archive
from server.hls.playlist import Segment
from server.hls.rendition import TARGETS_KEPT, Rendition

PATIENCE = 2
"""Memory keeps so many times its share while the archive is late."""


@dataclass(frozen=True, slots=True)
class Depth:
    """Memory keeps the newest `near` whole segments; older ones are listed from the archive.

    They are as long as every rendition's body is there, and up to `seconds` in all. Where one
    is not, it leaves the list with everything before it, in every rendition.
    """

    near: int
    seconds: int = 0
    """Of the whole list; it is never shorter than what memory keeps."""
    archive: Archive | None = None

    def settle(
        self, rendition: Rendition, all_of_them: Mapping[str, Rendition], target_duration: int
    ) -> None:
        """After a segment was appended: send bodies away, take segments off the list."""
        least = TARGETS_KEPT * target_duration * TICKS_PER_SECOND
        while rendition.near_count > self.near:
            oldest = rendition.near
            # Not less than three targets, even when summed from the rounded EXTINF.
            if oldest is None or rendition.near_ticks - oldest.duration <= least:
                break
            if self.archive is None or not self.seconds:
                rendition.drop(oldest.msn)
            elif self._is_held(oldest, all_of_them):
                rendition.send_away()
            elif rendition.near_count <= PATIENCE * self.near:
                break
            else:
                for each in all_of_them.values():
                    each.drop(oldest.msn)
        self._shorten(rendition)

    def _is_held(self, segment: Segment, renditions: Mapping[str, Rendition]) -> bool:
        """Tell whether all renditions that list the segment can do without memory."""
        archive = self.archive
        return archive is not None and all(
            archive.holds(each.name, segment.uri)
            for each in renditions.values()
            if each.lists(segment.msn)
        )

    def _shorten(self, rendition: Rendition) -> None:
        """Take off what makes the list longer than it should be."""
        most = self.seconds * TICKS_PER_SECOND
        while rendition.segments and rendition.segments[0] is not rendition.near:
            first = rendition.segments[0]
            if rendition.listed_ticks - first.duration < most:
                break
            rendition.drop(first.msn)
