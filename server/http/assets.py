"""The files of `player/` that browsers may have, read once and served from memory.

A request is looked up in an index made from an allow-list: its path never touches the
file system. A file that changed on disk is read again, so that editing a page needs no
restart.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from server.errors import NotFound

PLAYER = Path(__file__).resolve().parents[2] / "player"

_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
_TEXT = ("text/", "image/svg", "application/manifest")
_HIDDEN = ("node_modules", "test", "tests")

VENDOR_FILES = (
    "hls.js/dist/hls.mjs",
    "hls.js/dist/hls.light.mjs",
    "hls.js/dist/hls.min.mjs",
    "hls.js/dist/hls.light.min.mjs",
    "hls.js/dist/hls.worker.js",
)
"""All that is served of `player/node_modules`."""

_MIN_GZIP = 1024


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    packed: bytes | None
    """The body gzipped, where that makes it smaller."""
    content_type: str
    etag: str
    stamp: int
    """The file's mtime in ns when it was read."""


class Assets:
    """An index of servable files by their path below `/player/`."""

    def __init__(self, root: Path = PLAYER) -> None:
        self._root = root
        self._paths = dict(_servable(root))
        self._read: dict[str, Asset] = {}

    def get(self, name: str) -> Asset:
        """Return the file named below `/player/`. Raises NotFound."""
        path = self._paths.get(name)
        if path is None:
            # Only a listing of the folder can add a name; the request itself never does.
            self._paths = dict(_servable(self._root))
            path = self._paths.get(name)
        if path is None:
            raise NotFound("file", name[:100])
        try:
            stamp = path.stat().st_mtime_ns
            asset = self._read.get(name)
            if asset is None or asset.stamp != stamp:
                asset = self._read[name] = _load(path, stamp)
        except OSError as error:
            raise NotFound("file", name[:100]) from error
        return asset


def answer(request: web.Request, asset: Asset, cache: str = "no-cache") -> web.Response:
    """Serve an asset: 304 when the client has it, gzip when it takes it."""
    headers = {"ETag": asset.etag, "Cache-Control": cache, "Vary": "Accept-Encoding"}
    if holds(request, asset.etag):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = asset.content_type
    body = asset.body
    if asset.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = asset.packed
    return web.Response(body=body, headers=headers)


def holds(request: web.Request, etag: str) -> bool:
    """Tell whether the client has this version already (RFC 9110 13.1.2, weak comparison)."""
    tags = request.headers.get("If-None-Match", "").split(",")
    return any(tag.strip().removeprefix("W/") in {etag, "*"} for tag in tags)


def _servable(root: Path) -> Iterator[tuple[str, Path]]:
    for folder in (root, *(p for p in root.iterdir() if _is_open(p))):
        for path in folder.iterdir():
            if path.suffix in _TYPES and ".test." not in path.name and path.is_file():
                yield path.relative_to(root).as_posix(), path
    for name in VENDOR_FILES:
        path = root / "node_modules" / name
        if path.is_file():
            yield f"vendor/{name}", path


def _is_open(path: Path) -> bool:
    return path.is_dir() and path.name not in _HIDDEN and not path.name.startswith(".")


def _load(path: Path, stamp: int) -> Asset:
    body = path.read_bytes()
    kind = _TYPES[path.suffix]
    text = kind.startswith(_TEXT)
    packed = gzip.compress(body, 6, mtime=0) if text and len(body) >= _MIN_GZIP else None
    if packed is not None and len(packed) >= len(body):
        packed = None
    etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    charset = "; charset=utf-8" if text else ""
    return Asset(body, packed, kind + charset, etag, stamp)
