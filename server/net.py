"""Whom the server may call when somebody else names the address: guards against SSRF.

The judgement is made on the address that a socket is about to be connected to, so a name that
resolves to something else the second time (DNS rebinding) gains nothing. No aiohttp.
"""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""As getaddrinfo gives it: family, type, protocol, canonical name, socket address."""

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_CLOUD = IPv4Address("168.63.129.16")
"""A cloud's own services, at an address that looks public."""


class AddressRefused(OSError):
    """The address is not on the public internet, and only that is allowed."""

    def __init__(self, address: str) -> None:
        super().__init__(errno.EACCES, f"{address} is a private or local address")


def is_public(address: str) -> bool:
    """Tell whether an IP address lies on the public internet (RFC 6890 and its registries).

    An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4, Teredo) is judged by both.
    Raises ValueError when it is no address.
    """
    judged = ip_address(address.partition("%")[0])
    return _is_public(judged) if isinstance(judged, IPv4Address) else _is_public_6(judged)


def public_socket(info: AddressInfo) -> socket.socket:
    """Make the socket to connect to `info`. Raises AddressRefused, OSError.

    For whoever opens connections by getaddrinfo's results, such as aiohttp's `socket_factory`.
    """
    family, kind, protocol, _, where = info
    if not is_public(str(where[0])):
        raise AddressRefused(str(where[0]))
    return socket.socket(family, kind, protocol)


def _is_public(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and address != _CLOUD


def _is_public_6(address: IPv6Address) -> bool:
    if address.ipv4_mapped is not None:
        return _is_public(address.ipv4_mapped)
    if address in _NAT64:
        return _is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    inner = [address.sixtofour, *(address.teredo or ())]
    return (
        address in _GLOBAL_UNICAST
        and (address.is_global or address.teredo is not None)
        and not address.is_multicast
        and all(_is_public(each) for each in inner if each is not None)
    )
