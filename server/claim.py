"""One server per data directory: a second would end what the first has on the air."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = "server.lock"


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold `folder`, which must exist, for this server; the kernel lets go of it after a crash.

    Raises OSError when another server holds it, or when it cannot be written.
    """
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            said = "another Vitrine server is running on this data directory"
            raise OSError(errno.EBUSY, said, str(folder)) from error
        yield
    finally:
        os.close(descriptor)
