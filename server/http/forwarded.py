"""Who stands behind a reverse proxy: believed only where the proxy is one of ours.

Anybody can write `X-Forwarded-For`; it counts when the connection comes from an address that
the configuration trusts (`server.trusted_proxies`), and then only as far back as such
addresses go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from aiohttp import web

MOST_HOPS = 16
_SCHEMES = ("http", "https")


class Proxies:
    """The networks that are trusted to tell whom they speak for."""

    def __init__(self, networks: Sequence[str] = ()) -> None:
        self._networks = [ipaddress.ip_network(each) for each in networks]

    def seen(self, request: web.Request) -> web.Request:
        """Return the request as its client made it: `remote` and `scheme` are the client's.

        Untouched where it does not come from a trusted address.
        """
        peer = request.remote or ""
        if not self._networks or not self._trusts(peer):
            return request
        scheme = request.headers.get("X-Forwarded-Proto", "").lower()
        return request.clone(
            remote=self.client(peer, request.headers.getall("X-Forwarded-For", [])),
            scheme=scheme if scheme in _SCHEMES else request.scheme,
        )

    def client(self, peer: str, fields: Sequence[str]) -> str:
        """Name the nearest address that is not one of ours; the last trusted one before nonsense.

        `fields` are the X-Forwarded-For headers; each hop adds who connected to it at the end.
        """
        hops = [hop.strip() for hop in ",".join(fields).split(",")][-MOST_HOPS:]
        while hops and self._trusts(peer):
            hop = _address(hops.pop())
            if hop is None:
                break
            peer = hop
        return peer

    def _trusts(self, address: str) -> bool:
        read = _address(address)
        if read is None:
            return False
        ip = ipaddress.ip_address(read)
        return any(ip in network for network in self._networks)


def _address(text: str) -> str | None:
    """Read an address as proxies write it: bare, in brackets, mapped into IPv6, with a port."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return str(mapped or ip)
