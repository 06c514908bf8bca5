"""Who keeps the bodies that memory let go, and who writes them down. Pure: values only.

One of each belongs to one session of a channel and outlives its windows: names are those of
the live path and unique for ever, so both know bodies by rendition and name alone.
"""

from __future__ import annotations

from typing import Protocol

from server.hls.playlist import PartTag, Segment
from server.hls.targets import Targets
from transcode.part import Track


class Archive(Protocol):
    """Keeps whole segments (and initialization sections) of one session."""

    def holds(self, rendition: str, name: str) -> bool:
        """Tell whether the body is durably there: a cheap look-up, no I/O.

        Asked while memory still has the body, until it is there or memory has waited too
        long. What was held may be lost later; `read` tells.
        """
        ...

    async def read(self, rendition: str, name: str) -> bytes | None:
        """Return the whole body; None: it is lost. Never blocks the event loop.

        The caller bounds how many reads run at once and how long each may take; it may
        cancel one. Raises OSError when the storage does not answer just now.
        """
        ...


class Scribe(Protocol):
    """Is told what renditions publish, at once and in order, to write it down.

    Called on the event loop from inside the window: nothing here may block or raise.
    """

    def announced(self, targets: Targets) -> None:
        """Note what the playlists announce; before the epochs that keep to it."""
        ...

    def begun(self, rendition: str, map_uri: str, track: Track) -> None:
        """Note that `track.init` is the initialization section under the name `map_uri`."""
        ...

    def added(self, rendition: str, segment: Segment, part: PartTag, data: bytes) -> None:
        """Note a part. `segment` is the growing one, the part included, as it stands now."""
        ...

    def closed(self, rendition: str, segment: Segment, first_msn: int) -> None:
        """Note a whole segment: its body is that of its parts in a row; a gap has none.

        The list began with `first_msn` when it came.
        """
        ...


class Unwritten:
    """The scribe of a broadcast that is not recorded."""

    def announced(self, targets: Targets) -> None:
        """Leave it unwritten, as the others."""

    def begun(self, rendition: str, map_uri: str, track: Track) -> None:
        """Leave it unwritten."""

    def added(self, rendition: str, segment: Segment, part: PartTag, data: bytes) -> None:
        """Leave it unwritten."""

    def closed(self, rendition: str, segment: Segment, first_msn: int) -> None:
        """Leave it unwritten."""
