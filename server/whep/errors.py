"""Why somebody cannot look on."""

from __future__ import annotations


class Unseen(Exception):
    """There is no picture to be had this way. `str` is a sentence that a person can act on."""

    code = "unseen"


class OffAir(Unseen):
    """Nobody broadcasts now."""

    code = "offline"


class Unfit(Unseen):
    """What the encoder sends, a browser cannot be sent as it is."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Crowded(Unseen):
    """There is room for no more."""

    code = "crowded"


class Lost(Unseen):
    """Our own candidates could not be gathered in time."""

    code = "unavailable"
