"""Which addresses a server may be sent to by whoever names one: those of the open internet.

Pure. What is private, local, reserved or of one machine only is not (RFC 6890 and its
registries), whatever form or wrapping it comes in.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

_LOCAL_NAMES = ("localhost", "localdomain", "internal", "local", "home.arpa")
"""Names, and ends of names, that mean this machine or this network (RFC 6761, 6762, 8375)."""
_CLOSED = (
    IPv4Network("168.63.129.16/32"),  # Azure's own services, at an address that looks public
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments; older Pythons know a part of it
    IPv4Network("192.88.99.0/24"),  # 6to4 relays, given up (RFC 7526)
    IPv6Network("2001::/23"),  # IETF protocol assignments, Teredo among them
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_6TO4 = IPv6Network("2002::/16")
_MAPPED = IPv6Network("::ffff:0:0/96")
_COMPATIBLE = IPv6Network("::/96")


def is_open(address: str) -> bool:
    """Tell whether `address`, as a resolver writes it, lies on the open internet.

    Raises ValueError when it is no address.
    """
    return all(map(_is_public, _unwrapped(ip_address(address))))


def literal(host: str) -> str | None:
    """Return the address that `host` is, None where it is a name that must be looked up.

    Decimal, octal, hexadecimal and shortened IPv4 forms count, as resolvers take them
    (inet_aton(3)): `127.1`, `0x7f000001`, `2130706433`, `0177.0.0.1`.
    """
    text = host.removeprefix("[").removesuffix("]").rstrip(".")
    try:
        return str(ip_address(text))
    except ValueError:
        pass
    numbers = [_number(part) for part in text.split(".")]
    if not 1 <= len(numbers) <= 4:
        return None
    *heads, last = numbers
    value = 0
    for head in heads:
        if head is None or head > 0xFF:
            return None
        value = value << 8 | head
    bits = 8 * (4 - len(heads))
    if last is None or last >= 1 << bits:
        return None
    return str(IPv4Address(value << bits | last))


def is_local_name(host: str) -> bool:
    """Tell whether a host's name says by itself that it is this machine's or network's."""
    name = host.rstrip(".").lower()
    return any(name == local or name.endswith(f".{local}") for local in _LOCAL_NAMES)


def _unwrapped(address: Address) -> Iterator[Address]:
    """Give the address, or those that it stands for or leads to."""
    if isinstance(address, IPv4Address):
        yield address
        return
    value = int(address)
    if address in _MAPPED or address in _NAT64 or address in _COMPATIBLE:
        yield IPv4Address(value & 0xFFFFFFFF)
        return
    yield address
    if address in _6TO4:
        yield IPv4Address(value >> 80 & 0xFFFFFFFF)


def _is_public(address: Address) -> bool:
    if address.is_multicast or not address.is_global:
        return False
    if any(address in network for network in _CLOSED):
        return False
    return isinstance(address, IPv4Address) or address in _GLOBAL_UNICAST


def _number(text: str) -> int | None:
    digits = text.lower()
    if not digits.isascii() or not digits.isalnum() or len(digits) > 16:
        return None
    try:
        if digits.startswith("0x"):
            return int(digits[2:] or "0", 16)
        return int(digits, 8 if len(digits) > 1 and digits.startswith("0") else 10)
    except ValueError:
        return None
