"""The durations a playlist announces once and never changes (RFC 8216bis 6.2.1).

Pure: standard library and values only.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND
from transcode.part import Epoch

PART_TARGET_SLACK = Fraction(17, 16)
"""An epoch's declared part target covers an AAC frame that its parts seldom need."""


@dataclass(frozen=True, slots=True)
class Targets:
    duration: int
    """EXT-X-TARGETDURATION, seconds; at least 1."""
    part_ms: int
    """PART-TARGET, rounded up so that it still bounds."""

    @classmethod
    def of(cls, part_target: int, segment_target: int) -> Targets:
        """Announce bounds given in ticks."""
        return cls(_rounded_seconds(segment_target), -(-part_target // TICKS_PER_MS))

    def hold(self, epoch: Epoch) -> bool:
        """Tell whether the epoch keeps within what was announced."""
        most = self.part_ms * TICKS_PER_MS * PART_TARGET_SLACK
        return _rounded_seconds(epoch.segment_target) <= self.duration and epoch.part_target <= most


def _rounded_seconds(ticks: int) -> int:
    return max(1, (2 * ticks + TICKS_PER_SECOND) // (2 * TICKS_PER_SECOND))
