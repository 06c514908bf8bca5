"""What the origin answers: a body, shared by everyone who asked for it. Standard library only."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
VIDEO_TYPE = "video/mp4"
AUDIO_TYPE = "audio/mp4"
FOREVER = 31_536_000
GZIP_LEVEL = 6


def etag_of(body: bytes) -> str:
    """Make a strong entity tag of what a body holds."""
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


class Gzip:
    """The gzip coding of a text: made when it is first asked for, then shared."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._coded: bytes | None = None

    @property
    def made(self) -> bool:
        return self._coded is not None

    def body(self) -> bytes:
        if self._coded is None:
            self._coded = gzip.compress(self._text, GZIP_LEVEL, mtime=0)
        return self._coded


@dataclass(frozen=True, slots=True)
class Answer:
    """A body to send with status 200, shared by everyone who asked."""

    body: bytes
    content_type: str
    max_age: int
    """Seconds."""
    etag: str
    """As in the header field, quotes included; weak where there are two codings."""
    immutable: bool = False
    gzip: Gzip | None = None
    """The same body coded, for those who accept that; None: it does not get smaller."""
