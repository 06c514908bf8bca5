"""Whether the disk has room for recordings: never all of it, the shop's database is there too."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass

from server.record.disk import Disk

LOOK_SECONDS = 1.0
"""Between two looks at the disk."""


@dataclass(frozen=True, slots=True)
class Space:
    free: int
    """Bytes, as are both."""
    total: int


class Room:
    """Looks at the disk, now and then. For the writer's thread."""

    def __init__(
        self,
        disk: Disk,
        monotonic: Callable[[], float],
        min_free_bytes: int = 0,
        max_disk_percent: float = 100.0,
    ) -> None:
        self._disk = disk
        self._monotonic = monotonic
        self.min_free = min_free_bytes
        self._most = max_disk_percent
        self._looked_at = float("-inf")
        self.space: Space | None = None
        """As it was last seen; None before."""

    def check(self) -> None:
        """Raise OSError (ENOSPC), with a reason, when nothing more should be written."""
        space = self.look()
        if space.free < self.min_free:
            said = f"less than recording.min_free_bytes ({self.min_free}) are free on the disk"
            raise OSError(errno.ENOSPC, said)
        used = 100 * (1 - space.free / max(space.total, 1))
        if used > self._most:
            said = f"the disk is fuller than recording.max_disk_percent ({self._most:g})"
            raise OSError(errno.ENOSPC, said)

    def look(self) -> Space:
        """Return what is free. Raises OSError."""
        now = self._monotonic()
        if self.space is None or now - self._looked_at >= LOOK_SECONDS:
            self.space = Space(*self._disk.space())
            self._looked_at = now
        return self.space
