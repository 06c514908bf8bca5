"""Connections to a source: looked up, judged, and only then opened. Blocks; own process only.

The address that was judged is the one that is connected to: a name that resolves to another
one a moment later changes nothing.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

from transcode.errors import PullError
from transcode.pull.place import Place
from transcode.pull.reach import is_open

PRIVATE = (
    "its host is on a private or local network, which `ingest.pull.allow_private` does not allow"
)


class NotAllowed(PullError):
    """The source, or something in it, leads where nobody may be sent."""


@dataclass(frozen=True, slots=True)
class Dialer:
    allow_private: bool
    open_seconds: float
    silence_seconds: float

    def connect(self, place: Place) -> socket.socket:
        """Open a connection to the place, encrypted where its scheme says. Raises PullError."""
        failure: OSError | None = None
        for address in self._addresses(place):
            try:
                opened = socket.create_connection((address, place.port), self.open_seconds)
            except OSError as error:
                failure = error
                continue
            if place.encrypted:
                opened = self._secured(opened, place)
            opened.settimeout(self.silence_seconds)
            return opened
        raise PullError(said(failure)) from failure

    def datagrams(self, place: Place) -> socket.socket:
        """Open a UDP socket that talks to the place only. Raises PullError."""
        failure: OSError | None = None
        for address in self._addresses(place):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            opened = socket.socket(family, socket.SOCK_DGRAM)
            try:
                opened.connect((address, place.port))
            except OSError as error:
                opened.close()
                failure = error
                continue
            return opened
        raise PullError(said(failure)) from failure

    def _addresses(self, place: Place) -> list[str]:
        """Resolve the host; every one of its addresses must be allowed."""
        host = place.host.removeprefix("[").removesuffix("]")
        try:
            found = socket.getaddrinfo(host, place.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise PullError("its host is not known") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self.allow_private and not all(map(is_open, addresses)):
            raise NotAllowed(PRIVATE)
        return addresses

    def _secured(self, opened: socket.socket, place: Place) -> socket.socket:
        context = ssl.create_default_context()
        try:
            return context.wrap_socket(opened, server_hostname=place.host.strip("[]"))
        except ssl.SSLCertVerificationError as error:
            opened.close()
            raise PullError(f"its certificate is not trusted ({error.verify_message})") from error
        except OSError as error:
            opened.close()
            raise PullError(f"it does not speak TLS ({said(error)})") from error


def said(error: OSError | None) -> str:
    """Say what the system said of a failed call, without any address."""
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    words = None if error is None else error.strerror
    return (words or "no connection").lower()
