"""A TLS connection that one thread may read while another writes. Own process only.

OpenSSL's connection is for one thread at a time, and Python's does not see to it: read and
written at once, it takes "nothing there yet" for a broken line. So each step in it takes a turn
and never blocks; what blocks is the wait for the socket, outside the turn.
"""

from __future__ import annotations

import select
import ssl
import threading
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TypeVar

Done = TypeVar("Done")


class SharedTls:
    """Speaks as a socket does; its timeout is that of the connection it is given."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._connection = connection
        self._silence = connection.gettimeout()
        self._turn = threading.Lock()
        self._over = False
        connection.setblocking(False)

    def recv(self, size: int) -> bytes:
        """Give what comes next, b"" at the end. Raises OSError, TimeoutError among them."""
        return self._patiently(partial(self._connection.recv, size))

    def sendall(self, data: bytes) -> None:
        """Raises OSError, TimeoutError among them."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._patiently(partial(self._connection.send, rest)) :]

    def shutdown(self, how: int) -> None:
        with self._turn:
            self._over = True  # Python would go on in clear, with what is still encrypted
            self._connection.shutdown(how)

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    def _patiently(self, step: Callable[[], Done]) -> Done:
        deadline = None if self._silence is None else monotonic() + self._silence
        while True:
            reading, writing = [], []
            try:
                with self._turn:
                    if self._over:
                        raise OSError("closed")
                    return step()
            except ssl.SSLWantReadError:
                reading = [self._connection]
            except ssl.SSLWantWriteError:
                writing = [self._connection]
            _wait(reading, writing, deadline)


def _wait(
    reading: list[ssl.SSLSocket], writing: list[ssl.SSLSocket], deadline: float | None
) -> None:
    left = None if deadline is None else max(0.0, deadline - monotonic())
    try:
        ready = select.select(reading, writing, [], left)
    except ValueError as error:  # the other thread has closed it
        raise OSError("closed") from error
    if not any(ready):
        raise TimeoutError
