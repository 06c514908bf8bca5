"""The darkroom process: makes thumbnails and posters of recordings.

    python -m transcode.darkroom

Messages of `transcode.contact` come on standard input, each is answered on standard output; the
process ends with its input. It decodes, so it is not the server's; nobody waits for it, so it
leaves the processors to those who are waited for.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import BinaryIO

from transcode import plain
from transcode.confine import confine
from transcode.contact import HEAD, KINDS, MOST, Finish, Negative, Print, Sheets
from transcode.errors import MediaError, WireError
from transcode.stills import Image, Sheet, key_picture, poster, use_one_thread

MEMORY = 2 << 30
"""Bytes of address space."""
NICE = 15


class Darkroom:
    """Answers messages, one after the other."""

    def __init__(self) -> None:
        self._sheet = Sheet(1, 1, 2)

    def answer(self, message: object) -> Print:
        """Do what is asked. A picture that cannot be decoded is left out, and said so."""
        match message:
            case Sheets():
                self._sheet = Sheet(message.columns, message.rows, message.longer_side)
                return self._print(b"")
            case Negative(poster=True):
                image = self._developed(message)
                if image is None:
                    return Print(b"", 0, 0)
                return Print(poster(image), image.shape[1], image.shape[0])
            case Negative():
                self._sheet.add(self._developed(message))
                return self._print(self._sheet.take() if self._sheet.full else b"")
            case Finish():
                return self._print(self._sheet.take())
        raise WireError(f"nobody asks by {type(message).__name__}")

    def _developed(self, negative: Negative) -> Image | None:
        try:
            return key_picture(negative.init, negative.fragment)
        except MediaError as error:
            sys.stderr.write(f"{error}\n")
            return None

    def _print(self, data: bytes) -> Print:
        return Print(data, self._sheet.width, self._sheet.height)


def read_message(source: BinaryIO) -> object | None:
    """Read the next message; None at the end. Raises WireError."""
    head = source.read(HEAD.size)
    if not head:
        return None
    if len(head) < HEAD.size:
        raise WireError("a message that is cut off")
    number, size = HEAD.unpack(head)
    if number >= len(KINDS) or size > MOST:
        raise WireError("a message of an unknown kind or size")
    found: object = plain.load(KINDS[number], memoryview(source.read(size)))
    return found


def written(message: object) -> bytes:
    """Write a message with its head."""
    body = plain.dump(message)
    return HEAD.pack(KINDS.index(type(message)), len(body)) + body


def main() -> int:
    """Answer until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides when it is enough
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # a stray print from a library must not reach the messages
    source = os.fdopen(0, "rb", closefd=False)
    os.nice(NICE)
    use_one_thread()
    confine(MEMORY)
    room = Darkroom()
    with suppress(BrokenPipeError):
        try:
            while (message := read_message(source)) is not None:
                view = memoryview(written(room.answer(message)))
                while view:
                    view = view[out.write(view) :]
        except (MediaError, WireError) as error:
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
