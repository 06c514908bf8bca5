"""Network addresses: what is one, and who stands behind it where something is counted. Pure."""

from __future__ import annotations

import ipaddress


def subscriber(address: str) -> str:
    """Name what one subscriber holds: an IPv4 address, or the /64 of an IPv6 one.

    Any host of an IPv6 network takes a new address of its /64 (RFC 4291 2.5.1) whenever it
    likes. What is no address is its own name.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((int(ip), 64), strict=False))
    return str(ip)


def is_address(text: str) -> bool:
    """Tell whether `text` is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_network(text: str) -> bool:
    """Tell whether `text` is an IP address, or a network without bits of a host in it."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True
