"""What is said when a port cannot be listened on: which key and option, and what to do."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def naming(host: str, key: str, port: int) -> Iterator[None]:
    """Name the configuration in an OSError of listening on `host` and `port`.

    `key` is the port's in the section `server`, which is an option too: `http_port`,
    `rtmp_port`; or a whole dotted key. Raises OSError.
    """
    try:
        yield
    except socket.gaierror as error:
        said = f"server.host (--host): {host!r} cannot be resolved: {error.strerror}"
        raise OSError(errno.EADDRNOTAVAIL, said) from error
    except OSError as error:
        raise OSError(error.errno, _said(error, host, key, port)) from error


def _said(error: OSError, host: str, key: str, port: int) -> str:
    named = key if "." in key else f"server.{key} (--{key.replace('_', '-')})"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{named}: port {port} on {host} is in use by another program; choose another"
        case errno.EADDRNOTAVAIL:
            return f"server.host (--host): {host} is not an address of this machine"
        case errno.EACCES:
            return f"{named}: port {port} needs privileges that this user does not have"
        case _:
            return f"{named}: cannot listen on port {port} of {host}: {error.strerror or error}"
