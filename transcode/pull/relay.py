"""A door on loopback through which libav reaches a source that was looked up and judged here.

libav resolves, encrypts and redirects by itself, without asking anybody. So it is given a
local address, and every connection that it makes there is made by us to the real one.
Threads; own process only.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
from contextlib import suppress
from types import TracebackType
from typing import Final, Self, TypeAlias

from transcode.errors import PullError
from transcode.pull.dial import Dialer, NotAllowed
from transcode.pull.place import Place
from transcode.pull.shared_tls import SharedTls
from transcode.pull.words import SILENT

CONNECTIONS: Final = 8
"""RTMP connects again when it must authenticate; that often is more than any protocol needs."""
READ_BYTES: Final = 1 << 16
LOCAL: Final = "127.0.0.1"
_REDIRECT: Final = re.compile(rb"RTSP/[^ \t\n]*[ \t]+[\x0b\x0c]*\+?0*3\d\d")
"""A status line of 3xx as libav reads one (RFC 7826 18.3), wherever it stands: what libav
takes for a message's beginning cannot be known here for sure. In media it turns up by chance
once in thousands of years."""
_OVERLAP: Final = 64
Line: TypeAlias = socket.socket | SharedTls


class RedirectAlarm:
    """Watches an RTSP server's bytes for a redirect, which libav would follow anywhere."""

    def __init__(self) -> None:
        self._tail = b""

    def sees(self, data: bytes) -> bool:
        """Take the next bytes; True once a redirect is among them."""
        text = self._tail + data.replace(b"\r", b"")  # libav ignores them, everywhere
        self._tail = text[-_OVERLAP:]
        return _REDIRECT.search(text) is not None


class Relay:
    """Listens on a free port of loopback until closed."""

    def __init__(self, dialer: Dialer, place: Place) -> None:
        """Connect to the place at once: what is wrong with it is told here. Raises PullError."""
        self._dialer = dialer
        self._place = place
        self._first: Line | None = self._dial()
        self._open: list[Line] = []
        self.failure: PullError | None = None
        """Why a connection was ended by us."""
        self._server = socket.create_server((LOCAL, 0), backlog=1)
        self._accepter = threading.Thread(target=self._serve, name="relay", daemon=True)
        self._accepter.start()

    @property
    def place(self) -> Place:
        """The same source behind the door."""
        scheme = "rtsp" if self._place.scheme.startswith("rtsp") else "rtmp"
        return self._place.at(scheme, LOCAL, int(self._server.getsockname()[1]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        for each in (self._server, self._first, *self._open):
            if each is not None:
                _cut(each)

    def _serve(self) -> None:
        for _ in range(CONNECTIONS):
            try:
                inner, _ = self._server.accept()
            except OSError:
                return  # closed
            try:
                outer, self._first = self._first or self._dial(), None
            except PullError as error:
                self.failure = error
                _cut(inner)
                continue
            self._open += (inner, outer)
            for work in (self._forward, self._back):
                threading.Thread(target=work, args=(inner, outer), daemon=True).start()

    def _dial(self) -> Line:
        opened = self._dialer.connect(self._place)
        return SharedTls(opened) if isinstance(opened, ssl.SSLSocket) else opened

    def _forward(self, inner: socket.socket, outer: Line) -> None:
        """Carry what libav says."""
        with suppress(OSError):
            while data := inner.recv(READ_BYTES):
                outer.sendall(data)
        _cut(outer)

    def _back(self, inner: socket.socket, outer: Line) -> None:
        """Carry what the source says."""
        alarm = RedirectAlarm() if self._place.scheme.startswith("rtsp") else None
        try:
            while data := outer.recv(READ_BYTES):
                if alarm is not None and alarm.sees(data):
                    self.failure = NotAllowed("it redirects to another address: give that one")
                    break
                inner.sendall(data)
        except TimeoutError:
            self.failure = PullError(SILENT)
        except OSError:
            pass
        _cut(inner)


def _cut(connection: Line) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)  # a thread that waits in it goes on
    connection.close()
