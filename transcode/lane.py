"""A bounded queue between two threads, made of the two that C implements.

`queue.Queue` takes a lock and wakes a condition in Python for every item, which is
felt at hundreds of items a second; `queue.SimpleQueue` does neither but has no bound.
Standard library only.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Lane(Generic[Item]):
    """At most `size` items wait. One thread or several put, one takes."""

    def __init__(self, size: int) -> None:
        self._items: SimpleQueue[Item] = SimpleQueue()
        self._room: SimpleQueue[None] = SimpleQueue()
        for _ in range(size):
            self._room.put(None)

    def put(self, item: Item, timeout: float) -> bool:
        """Append an item; False when there was no room for `timeout` seconds."""
        if not self._has_room():
            try:
                self._room.get(timeout=timeout)
            except Empty:
                return False
        self._items.put(item)
        return True

    def _has_room(self) -> bool:
        try:
            self._room.get_nowait()
        except Empty:
            return False
        return True

    def take(self) -> Item:
        """Remove the oldest item; waits for one."""
        item = self._items.get()
        self._room.put(None)
        return item

    @property
    def depth(self) -> int:
        """Items waiting."""
        return self._items.qsize()
