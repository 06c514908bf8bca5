"""Whom the server may call when somebody else names the address: guards against SSRF.

The judgement is made on the address that a socket is about to be connected to, so a name that
resolves to something else the second time (DNS rebinding) gains nothing. No aiohttp.
"""

from __future__ import annotations

import errno
import socket
from typing import Any

from transcode.pull.reach import is_open

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""As getaddrinfo gives it: family, type, protocol, canonical name, socket address."""


class AddressRefused(OSError):
    """The address is not on the public internet, and only that is allowed."""

    def __init__(self, address: str) -> None:
        super().__init__(errno.EACCES, f"{address} is a private or local address")


def public_socket(info: AddressInfo) -> socket.socket:
    """Make the socket to connect to `info`. Raises AddressRefused, OSError.

    For whoever opens connections by getaddrinfo's results, such as aiohttp's `socket_factory`.
    """
    family, kind, protocol, _, where = info
    address = str(where[0])
    if not is_open(address.partition("%")[0]):
        raise AddressRefused(address)
    return socket.socket(family, kind, protocol)
