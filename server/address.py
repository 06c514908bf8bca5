"""The server's addresses as commands print them, where no request tells the host."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from server.config import Config

_ANY = ("0.0.0.0", "::", "")  # noqa: S104 - recognised, not bound


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a server is found."""

    site: str
    """Without a path, and without a slash at its end."""
    rtmp: str
    """For an encoder, without the key."""


def addresses(
    config: Config, http_port: int | None = None, rtmp_port: int | None = None
) -> Addresses:
    """Return the addresses of a server with `config`; ports where the configured ones are 0."""
    return Addresses(site_address(config, "", http_port), rtmp_address(config, rtmp_port))


def site_address(config: Config, path: str, port: int | None = None) -> str:
    """Return the absolute address of `path`; `port` where the configured one is 0."""
    if config.server.public_url:
        return config.server.public_url + path
    return f"http://{_host(config)}:{port or config.server.http_port}{path}"


def rtmp_address(config: Config, port: int | None = None) -> str:
    """Return the server address for an encoder, without the key."""
    public = urlsplit(config.server.public_url).hostname
    return f"rtmp://{public or _host(config)}:{port or config.server.rtmp_port}/live"


def _host(config: Config) -> str:
    host = config.server.host
    if host in _ANY:
        return "localhost"
    return f"[{host}]" if ":" in host else host
