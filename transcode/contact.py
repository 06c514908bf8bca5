"""What the darkroom is asked for and what it hands out: values. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

HEAD = Struct(">BI")
"""Before each message: which one, and the size of what `plain` made of it."""
MOST = 32 * 1024 * 1024
"""Bytes of a message; a part of a second at 50 Mbit/s is 6 MB."""


@dataclass(frozen=True, slots=True)
class Sheets:
    """The first message: how sheets of thumbnails are laid out."""

    columns: int
    rows: int
    longer_side: int
    """Of a thumbnail, in pixels; the other follows from the first picture."""


@dataclass(frozen=True, slots=True)
class Negative:
    """A fragment whose first picture is wanted, with its initialization section."""

    init: bytes
    fragment: bytes
    poster: bool = False
    """As a picture of its own, as large as it is, rather than on a sheet."""


@dataclass(frozen=True, slots=True)
class Finish:
    """No more is to come: hand out the sheet that is begun."""

    because: str = ""


@dataclass(frozen=True, slots=True)
class Print:
    """The answer to each message. `data` is a JPEG; empty: there is none, or none yet."""

    data: bytes
    width: int
    """Of one thumbnail, or of the poster; 0 before the first."""
    height: int


KINDS: tuple[type, ...] = (Sheets, Negative, Finish, Print)
