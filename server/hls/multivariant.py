"""The multivariant playlist as a value (RFC 8216bis 4.4.6). Pure: standard library only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from server.hls.playlist import VERSION

NO_CAPTIONS = "CLOSED-CAPTIONS=NONE"
"""Of every variant (4.4.6.2): the encoders write none. Untold, players look for some."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One Variant Stream (4.4.6.2)."""

    uri: str
    bandwidth: int
    """Peak bit/s."""
    average_bandwidth: int | None
    codecs: str
    width: int = 0
    """0 x 0: audio only."""
    height: int = 0
    frame_rate: Fraction | None = None

    def lines(self) -> Iterator[str]:
        """Marshal the tag and the URI below it."""
        pairs = [f"BANDWIDTH={self.bandwidth}"]
        if self.average_bandwidth is not None:
            pairs.append(f"AVERAGE-BANDWIDTH={self.average_bandwidth}")
        pairs.append(f'CODECS="{self.codecs}"')
        if self.width:
            pairs.append(f"RESOLUTION={self.width}x{self.height}")
            if self.frame_rate is not None:
                pairs.append(f"FRAME-RATE={float(self.frame_rate):.3f}")
        pairs.append(NO_CAPTIONS)
        yield "#EXT-X-STREAM-INF:" + ",".join(pairs)
        yield self.uri


@dataclass(frozen=True, slots=True)
class MultivariantPlaylist:
    """Every rung, best first, audio only last."""

    variants: tuple[Variant, ...]

    def text(self) -> str:
        """Marshal the playlist."""
        lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
        for variant in self.variants:
            lines += variant.lines()
        return "\n".join(lines) + "\n"
