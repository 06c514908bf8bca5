"""What is said when a port cannot be listened on: which key and option, and what to do."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Mapping
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


def try_ports(host: str, ports: Mapping[str, int]) -> None:
    """Find out whether each of `ports` (by key, as for `naming`) can be listened on. Blocks.

    Raises OSError that tells of all that cannot, a line for each. One that is free now may be
    taken a moment later: this is for people, who want to hear of all at once.
    """
    refused: dict[str, int] = {}
    for key, port in ports.items():
        try:
            with naming(host, key, port):
                _try(host, port)
        except OSError as error:
            refused.setdefault(str(error.strerror), error.errno or 0)
    if refused:
        raise OSError(next(iter(refused.values())), "\n".join(refused))


def _try(host: str, port: int) -> None:
    kind, flags = socket.SOCK_STREAM, socket.AI_PASSIVE
    for family, _, protocol, _, address in socket.getaddrinfo(host, port, type=kind, flags=flags):
        with socket.socket(family, kind, protocol) as trial:
            # As the servers do it: a port whose last connections just ended is free.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            trial.bind(address)


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
