"""What can go wrong in transcoding. Standard library only."""

from __future__ import annotations


class TranscodeError(Exception):
    """Root of everything that transcode raises on purpose."""


class MediaError(TranscodeError):
    """Media, or an encoder's or decoder's setting, that cannot be worked with."""


class BitstreamError(MediaError):
    """Bytes that are not what their standard says they must be."""


class ProfileError(TranscodeError):
    """A profile that no ladder can be made from. The text names every wrong field.

    `problems`: field and what it must be, one by one.
    """

    def __init__(self, name: str, *problems: tuple[str, str]) -> None:
        told = "; ".join(f"{field}: {problem}" for field, problem in problems)
        super().__init__(f"profile {name!r}: {told}")
        self.problems = problems


class WireError(TranscodeError):
    """The other end of the pipe sent what the protocol does not allow."""


class PullError(TranscodeError):
    """A source that cannot be read. The text ends a sentence that begins with the source.

    It quotes no address: those hold credentials.
    """
