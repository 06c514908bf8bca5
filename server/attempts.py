"""How often each may try: keys cannot be guessed, storms are sat out. Pure."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass


@dataclass(slots=True)
class _Tries:
    count: int
    until: float


class Attempts:
    """Counts tries in fixed windows, of a bounded number of whoever tries.

    Who that is, the caller says: a key's digest, or what `ingest.address.subscriber` makes of an
    address. When the table is full the one longest without a try is forgotten: an attacker with
    that many addresses is not stopped by counting anyway, and memory stays flat.
    """

    def __init__(self, limit: int = 10, window: float = 60.0, most: int = 10_000) -> None:
        self._limit = limit
        self._window = window
        self._most = most
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def wait(self, who: str, now: float, times: int = 1) -> int:
        """Return whole seconds until `who` may try again; 0: it may now.

        `times`: the limit is so many times the usual one.
        """
        tries = self._tries.get(who)
        if tries is None or now >= tries.until or tries.count < times * self._limit:
            return 0
        return max(1, math.ceil(tries.until - now))

    def count(self, who: str, now: float) -> None:
        """Take note of a try that counts."""
        tries = self._tries.get(who)
        if tries is None or now >= tries.until:
            tries = self._tries[who] = _Tries(0, now + self._window)
        tries.count += 1
        self._tries.move_to_end(who)
        while len(self._tries) > self._most:
            self._tries.popitem(last=False)

    def forgive(self, who: str) -> None:
        """Count from none again."""
        self._tries.pop(who, None)
