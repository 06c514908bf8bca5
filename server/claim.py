"""One server per data directory: a second would end what the first has on the air.

The lock's file also tells commands beside the server where it listens, as its flags may differ
from the configuration that the commands read.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from server.address import Addresses

FILE = "server.lock"
_TRIES = 1000
_PAUSE = 0.001
"""Seconds."""
_MAX_BYTES = 4096


class Claim:
    """A data directory, held."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, where: Addresses) -> None:
        """Write down where the server listens, for `running`. Raises OSError."""
        os.pwrite(self._descriptor, json.dumps(asdict(where)).encode(), 0)


@contextmanager
def claimed(folder: Path) -> Iterator[Claim]:
    """Hold `folder`, which must exist, for this server; the kernel lets go of it after a crash.

    Blocks, at most seconds, while commands look at it. Raises OSError when another server holds
    it, or when it cannot be written.
    """
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _hold(descriptor):
            said = "another Vitrine server is running on this data directory"
            raise OSError(errno.EBUSY, said, str(folder))
        os.ftruncate(descriptor, 0)
        yield Claim(descriptor)
    finally:
        os.close(descriptor)


def running(folder: Path) -> Addresses | None:
    """Tell where the server on `folder` listens; None when none does, or not yet.

    Raises OSError when the file is there and cannot be read.
    """
    try:
        descriptor = os.open(folder / FILE, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        if _locked(descriptor, fcntl.LOCK_SH):
            return None  # what it says is of a server that has ended
        return _read(os.pread(descriptor, _MAX_BYTES, 0))
    finally:
        os.close(descriptor)


def _hold(descriptor: int) -> bool:
    for _ in range(_TRIES):
        if _locked(descriptor, fcntl.LOCK_EX):
            return True
        if not _locked(descriptor, fcntl.LOCK_SH):
            return False
        # It was a command having a look, gone in a moment.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        time.sleep(_PAUSE)
    return False


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(data: bytes) -> Addresses | None:
    try:
        told = json.loads(data)
        return Addresses(str(told["site"]), str(told["rtmp"]), str(told.get("rtmps", "")))
    except (ValueError, KeyError, TypeError):
        return None
