"""Failed tries per address, so that keys cannot be guessed. Standard library only."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass


@dataclass(slots=True)
class _Tries:
    failures: int
    until: float


class Attempts:
    """Counts failures in fixed windows, for a bounded number of addresses.

    When the table is full the address longest without a failure is forgotten: an attacker with
    that many addresses is not stopped by counting anyway, and memory stays flat.
    """

    def __init__(self, limit: int = 10, window: float = 60.0, addresses: int = 10_000) -> None:
        self._limit = limit
        self._window = window
        self._addresses = addresses
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def wait(self, address: str, now: float) -> int:
        """Return whole seconds until `address` may try again; 0: it may now."""
        tries = self._tries.get(address)
        if tries is None or now >= tries.until or tries.failures < self._limit:
            return 0
        return max(1, math.ceil(tries.until - now))

    def failed(self, address: str, now: float) -> None:
        tries = self._tries.get(address)
        if tries is None or now >= tries.until:
            tries = self._tries[address] = _Tries(0, now + self._window)
        tries.failures += 1
        self._tries.move_to_end(address)
        while len(self._tries) > self._addresses:
            self._tries.popitem(last=False)

    def succeeded(self, address: str) -> None:
        self._tries.pop(address, None)
