"""HTTP as a file for libav: our own requests, so that each address is judged, redirects too.

Blocks; own process only. RFC 9110: ranges (14), redirects (15.4), Basic credentials (RFC 7617).
"""

from __future__ import annotations

import base64
import http.client
import io
from typing import Final
from urllib.parse import quote

from transcode.errors import PullError
from transcode.pull.boxes import HEAD_BYTES, is_index_last
from transcode.pull.dial import Dialer, NotAllowed, said
from transcode.pull.place import Place, join, parse
from transcode.pull.words import LOST, REFUSED, SILENT

REDIRECTS = 5
NEAR = 256 * 1024
"""Bytes that are sooner read and thrown away than asked for anew."""
MISSES = 3
_AS_WRITTEN: Final = "!#$%&'()*+,/:;=?@[]~"
_MOVED = frozenset({301, 302, 303, 307, 308})


class Fetched:
    """One resource. `read`, `seek` and `tell` as libav's custom I/O calls them."""

    def __init__(self, dialer: Dialer, place: Place) -> None:
        """Ask for it, following redirects. Raises PullError."""
        self._dialer = dialer
        self.place = place
        """Where it was found in the end."""
        self.size: int | None = None
        self._position = 0
        self._ranged = False
        self._head = b""
        self._open: list[http.client.HTTPConnection | http.client.HTTPResponse] = []
        self._response = self._follow()

    @property
    def name(self) -> str:
        """What addresses inside of it are relative to."""
        return self.place.url

    def seekable(self) -> bool:
        return self._ranged

    @property
    def hides_its_index(self) -> bool:
        """Whether it is an MP4 that can be read from its end only, and cannot be."""
        return not self._ranged and is_index_last(self._head)

    def tell(self) -> int:
        return self._position

    def read(self, most: int) -> bytes:
        """Read at least a byte, at most `most`; nothing at the end. Raises PullError."""
        if self.size is not None and self._position >= self.size:
            return b""
        try:
            data = self._response.read1(most)
        except (OSError, http.client.HTTPException) as error:
            raise PullError(_broken(error)) from error
        if not data and self.size is not None:
            raise PullError(LOST)
        if self._position == len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - self._position]
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere; give the new position. Raises PullError, OSError for a bad place."""
        base = {io.SEEK_CUR: self._position, io.SEEK_END: self.size or 0}.get(whence, 0)
        target = base + offset
        if target < 0 or self.size is None or target > self.size:
            raise OSError("there is nothing there")
        if self._position <= target <= self._position + NEAR:
            while self._position < target and self.read(target - self._position):
                pass
        elif target < self.size:
            self.close()
            self._position = target
            self._response = self._follow()
        else:
            self._position = target
        return target

    def close(self) -> None:
        while self._open:  # whichever of the two has the socket by now
            self._open.pop().close()

    def _follow(self) -> http.client.HTTPResponse:
        try:
            for _ in range(REDIRECTS + 1):
                response = self._ask()
                if response.status not in _MOVED:
                    return self._accepted(response)
                self.close()
                self.place = _moved(self.place, response.getheader("Location"))
            raise PullError(f"it redirects more than {REDIRECTS} times")
        except PullError:
            self.close()
            raise

    def _ask(self) -> http.client.HTTPResponse:
        place = self.place
        connection = http.client.HTTPConnection(place.host.strip("[]"), place.port)
        connection.sock = self._dialer.connect(place)
        self._open.append(connection)
        headers = {
            "Host": place.authority,
            "User-Agent": "Vitrine",
            "Accept": "*/*",
            "Range": f"bytes={self._position}-",
            "Connection": "close",
        }
        if place.user is not None:
            pair = f"{place.user}:{place.password or ''}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
        try:
            connection.request("GET", place.target, headers=headers)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise PullError(_broken(error)) from error
        self._open.append(response)
        return response

    def _accepted(self, response: http.client.HTTPResponse) -> http.client.HTTPResponse:
        if response.status not in (200, 206):
            status = response.status
            raise PullError(REFUSED.get(status, f"its server answers with status {status}"))
        length = response.getheader("Content-Length", "")
        known = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None
        self._ranged = response.status == 206 and known is not None
        if self._position and not self._ranged:
            raise PullError("its server does not give parts of it")
        self.size = None if known is None else known + self._position
        return response


class Nested:
    """Opens the addresses that a playlist names.

    A segment that cannot be had is left out; after MISSES of them in a row the source has failed.
    """

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer
        self._missed = 0

    def __call__(self, url: str, flags: int, options: dict[str, str]) -> Fetched | io.BytesIO:
        """Open as PyAV's `io_open` asks for it. Raises PullError."""
        del flags, options
        place = _web(url)
        try:
            opened = Fetched(self._dialer, place)
        except NotAllowed:
            raise
        except PullError:
            self._missed += 1
            if self._missed > MISSES:
                raise
            return io.BytesIO()
        self._missed = 0
        return opened


def _moved(place: Place, location: str | None) -> Place:
    try:
        target = join(place, location or "")
    except ValueError as error:
        raise NotAllowed(f"it redirects to an address that {error}") from error
    if target.scheme not in ("http", "https"):
        raise NotAllowed("it redirects to an address that is not http or https")
    return target


def _web(url: str) -> Place:
    """Read an address out of a playlist, where libav has made it absolute."""
    if url.startswith("crypto"):
        raise NotAllowed("its segments are encrypted, which is not supported")
    # `file:` and the like are told by what is allowed, not by what is not.
    if not url.startswith(("http://", "https://")):
        raise NotAllowed("its playlist names an address that is not http or https")
    try:
        return parse(quote(url, safe=_AS_WRITTEN))
    except ValueError as error:
        raise NotAllowed(f"its playlist names an address that {error}") from error


def _broken(error: Exception) -> str:
    if isinstance(error, http.client.HTTPException) or not isinstance(error, OSError):
        return "it does not speak HTTP"
    if isinstance(error, TimeoutError):
        return SILENT
    return said(error)
