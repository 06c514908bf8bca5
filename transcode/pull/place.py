"""The address of a source: read strictly once, so that nobody after reads it differently.

Pure. RFC 3986; a URL with anything that parsers are known to disagree about is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urljoin, urlsplit

PORTS = {"http": 80, "https": 443, "rtmp": 1935, "rtmps": 443, "rtsp": 554, "rtsps": 322, "srt": 0}
"""Every scheme that can be read, with its default port; 0: it has none."""
ENCRYPTED = frozenset({"https", "rtmps", "rtsps"})
MAX_URL = 2_000
MASK = "***"
_NO_HOST = "must name a host, as in rtsp://camera.example/stream"
_PLAIN = re.compile(r"[!-\[\]^-~]+")
"""Printable ASCII without space and backslash."""
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source is. `user` and `password` are decoded; None: not given."""

    scheme: str
    host: str
    """An IPv6 address in its brackets."""
    port: int
    path: str
    """As written, beginning with `/` where there is one."""
    query: str = ""
    user: str | None = None
    password: str | None = None

    @property
    def encrypted(self) -> bool:
        return self.scheme in ENCRYPTED

    @property
    def authority(self) -> str:
        """Host and port, the port only where it is not the scheme's own."""
        return self.host if self.port == PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def target(self) -> str:
        """Path and query."""
        path = self.path or "/"
        return f"{path}?{self.query}" if self.query else path

    @property
    def url(self) -> str:
        """The whole address, credentials included."""
        rest = f"{self.path}?{self.query}" if self.query else self.path
        return f"{self.scheme}://{self._userinfo}{self.authority}{rest}"

    @property
    def masked(self) -> str:
        """The address as people may read it: no password, nothing of the query's values."""
        hidden = None if self.password is None else MASK
        query = "&".join(
            f"{name}={MASK}" if sign else MASK
            for name, sign, _ in (item.partition("=") for item in self.query.split("&"))
        )
        shown = replace(self, password=hidden, query=query if self.query else "")
        return shown.url

    def at(self, scheme: str, host: str, port: int) -> Place:
        """Return the same path and credentials elsewhere."""
        return replace(self, scheme=scheme, host=host, port=port)

    @property
    def _userinfo(self) -> str:
        if self.user is None:
            return ""
        pair = [self.user] if self.password is None else [self.user, self.password]
        return ":".join(quote(word, safe="*") for word in pair) + "@"


def parse(url: str) -> Place:
    """Read a source's URL. Raises ValueError with a sentence that quotes nothing of it."""
    if not 0 < len(url) <= MAX_URL:
        raise ValueError(f"must have 1 to {MAX_URL} characters")
    if not _PLAIN.fullmatch(url):
        raise ValueError("must be ASCII without spaces and backslashes; write others as %XX")
    try:
        parts = urlsplit(url)
    except ValueError:  # of brackets; its words quote what is between them
        raise ValueError(_NO_HOST) from None
    if parts.scheme not in PORTS:
        known = ", ".join(f"{scheme}://" for scheme in sorted(PORTS))
        raise ValueError(f"must begin with one of {known}")
    userinfo, at, hostport = parts.netloc.rpartition("@")
    if "@" in userinfo:
        raise ValueError("has more than one @ before its path; write it as %40")
    host, port = _host_and_port(hostport, PORTS[parts.scheme])
    user, colon, password = userinfo.partition(":")
    return Place(
        scheme=parts.scheme,
        host=host,
        port=port,
        path=parts.path,
        query=parts.query,
        user=unquote(user) if at else None,
        password=unquote(password) if colon else None,
    )


def join(base: Place, location: str) -> Place:
    """Return where a redirect from `base` leads. Raises ValueError as `parse` does."""
    try:
        url = urljoin(base.url, location)
    except ValueError:
        raise ValueError(_NO_HOST) from None
    return parse(url)


def _host_and_port(text: str, default: int) -> tuple[str, int]:
    found = re.fullmatch(rf"({_HOST.pattern})(?::(\d{{1,5}}))?", text)
    if found is None:
        raise ValueError(_NO_HOST)
    port = int(found[2]) if found[2] else default
    if not 1 <= port <= 65_535:
        raise ValueError("must name a port from 1 to 65535")
    return found[1].lower(), port
