"""Where a channel's picture may be pulled from, and what is wrong with an address. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from transcode.pull.place import MASK, parse
from transcode.pull.reach import is_local_name, is_open, literal

UNREADABLE = "an address that cannot be read"
"""Stands for it wherever people would read it masked; who opens it says what is wrong."""


@dataclass(frozen=True, slots=True)
class Source:
    url: str = field(repr=False)
    """With its credentials: never logged, never answered; `masked` is for people."""
    loop: bool = False
    """Begin a file again at its end."""
    enabled: bool = True

    @property
    def masked(self) -> str:
        """The address without its password and without the values of its query.

        One in the store may be none by now: another release wrote it, or another program.
        """
        try:
            return parse(self.url).masked
        except ValueError:
            return UNREADABLE


def wrong_with(url: str, *, allow_private: bool) -> str | None:
    """Say what is wrong with an address, quoting nothing of it; None where nothing is.

    A name that must be looked up is judged by who opens it, each time.
    """
    try:
        place = parse(url)
    except ValueError as error:
        return str(error)
    address = literal(place.host)
    local = is_local_name(place.host) if address is None else not is_open(address)
    if local and not allow_private:
        return "is on a private or local network, which `ingest.pull.allow_private` does not allow"
    return None


def with_secrets(url: str, known: Source | None) -> str:
    """Return what is meant by an address that was read here, masked, and sent back."""
    if known is None or MASK not in url or url != known.masked:
        return url
    return known.url
