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
    rtmps: str = ""
    """The same over TLS; empty where that is off."""


def addresses(
    config: Config,
    http_port: int | None = None,
    rtmp_port: int | None = None,
    rtmps_port: int | None = None,
) -> Addresses:
    """Return the addresses of a server with `config`; ports where the configured ones are 0."""
    return Addresses(
        site_address(config, "", http_port),
        rtmp_address(config, rtmp_port),
        rtmps_address(config, rtmps_port),
    )


def site_address(config: Config, path: str, port: int | None = None) -> str:
    """Return the absolute address of `path`; `port` where the configured one is 0."""
    if config.server.public_url:
        return config.server.public_url + path
    return f"http://{_host(config)}:{port or config.server.http_port}{path}"


def rtmp_address(config: Config, port: int | None = None) -> str:
    """Return the server address for an encoder, without the key."""
    return f"rtmp://{_public(config)}:{port or config.server.rtmp_port}/live"


def rtmps_address(config: Config, port: int | None = None) -> str:
    """Return the same for RTMP over TLS; empty where it is off."""
    rtmps = config.ingest.rtmps
    return "" if rtmps.files is None else f"rtmps://{_public(config)}:{port or rtmps.port}/live"


def _public(config: Config) -> str:
    return urlsplit(config.server.public_url).hostname or _host(config)


def _host(config: Config) -> str:
    host = config.server.host
    if host in _ANY:
        return "localhost"
    return f"[{host}]" if ":" in host else host
