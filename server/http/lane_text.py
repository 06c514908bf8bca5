"""The bytes of the lane (`server.http.lane`): which requests it takes, how it writes its answers.

Sans-I/O. Read is what players send for media hour after hour, and nothing else: whatever is
unusual is None, and goes the long way. What is taken here is read no more loosely than there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from multidict import CIMultiDict

from server.hls.answer import Answer
from server.hls.request import MediaRequest, PlaylistRequest, Refuse, read_directives
from server.http.hls import headers_of, refusal_of, takes_gzip
from server.http.middleware import guard

MOST_HEAD = 8192
"""Bytes of a request; aiohttp takes as much of one line."""
BEGIN = b"GET /live/"
END = b"\r\n\r\n"
# No percent-coding, and no `~`, which begins a token: the one of a path is cut out before.
_LINE = re.compile(
    r"GET (/live/([A-Za-z0-9_-][A-Za-z0-9._-]*)/([A-Za-z0-9_-][A-Za-z0-9._-]*)/"
    r"([A-Za-z0-9_-][A-Za-z0-9._-]*))(?:\?([A-Za-z0-9_=&.-]*))? HTTP/1\.1",
    re.ASCII,
)
_TOKEN = re.compile(rb"(GET /live/[A-Za-z0-9_-][A-Za-z0-9._-]*)/~([A-Za-z0-9_.-]+)(?=/)")
# RFC 9112 5: a name, a colon at once, a value of one line.
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)\r\n")
_LONG_WAY = frozenset(
    (
        *(b"content-length", b"transfer-encoding", b"te", b"trailer", b"upgrade", b"expect"),
        *(b"range", b"if-range", b"if-match", b"if-none-match", b"if-modified-since"),
        *(b"if-unmodified-since", b"http2-settings", b"x-request-id", b"connection"),
    )
)
"""Headers that ask for more than the body: conditions, ranges, bodies, another protocol."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request line that the lane takes."""

    path: str
    channel: str
    request: PlaylistRequest | MediaRequest


def without_token(line: bytes) -> tuple[bytes, str]:
    """Cut the playback token out of a request line's path; "" where there is none."""
    found = _TOKEN.match(line)
    return (found[1] + line[found.end() :], found[2].decode("ascii")) if found else (line, "")


def read_line(line: bytes) -> Asked | None:
    """Read a request line without its line end: a media playlist, a segment or a part."""
    found = _LINE.fullmatch(line.decode("latin-1"))
    if found is None:
        return None
    path, channel, rendition, name, query = found.groups()
    if ".." in path:
        return None
    if name != "index.m3u8":
        return None if query else Asked(path, channel, MediaRequest(rendition, name))
    pairs = [pair.partition("=") for pair in (query or "").split("&") if pair]
    directives = {key: value for key, _, value in pairs}
    if len(directives) < len(pairs):
        return None
    request = read_directives(rendition, directives)
    return None if isinstance(request, Refuse) else Asked(path, channel, request)


def read_fields(block: bytes) -> bool | None:
    """Read the headers, with the empty line behind them: whether they accept gzip.

    None: something in them asks for the long way, or is not as it should be.
    """
    at, hosts, codings = 0, 0, list[str]()
    while block[at : at + 2] != b"\r\n":
        found = _FIELD.match(block, at)
        if found is None:
            return None
        at = found.end()
        name, value = found[1].lower(), found[2].strip(b" \t")
        hosts += name == b"host"
        if name == b"accept-encoding":
            codings.append(value.decode("latin-1"))
        elif name in _LONG_WAY and (name, value.lower()) != (b"connection", b"keep-alive"):
            return None
    # One Host (RFC 9112 3.2), and nothing behind the empty line.
    return takes_gzip(",".join(codings)) if hosts == 1 and at + 2 == len(block) else None


def ends_whole(data: bytes) -> bool:
    """Tell whether a parser that was between two requests is so again after `data`.

    Said of heads that announce no body, and only of those.
    """
    if not data.endswith(END) or data.count(END) != 1 or not data.startswith((b"GET ", b"HEAD ")):
        return False
    lower = data.lower()
    return not any(name in lower for name in (b"content-length", b"transfer-encoding", b"upgrade"))


def answer_head(answer: Answer, coded: bool, length: int) -> bytes:
    """Write the head of a 200 up to the headers that differ each time."""
    headers = headers_of(answer)
    if coded:
        headers["Content-Encoding"] = "gzip"
    elif answer.gzip is None:
        headers["Accept-Ranges"] = "bytes"
    headers["Content-Length"] = str(length)
    return _head(200, headers)


def refusal_text(refusal: Refuse) -> tuple[bytes, bytes]:
    """Write the head of a refusal, as `answer_head`, and its body."""
    response: web.Response = refusal_of(refusal)
    body = response.body if isinstance(response.body, bytes) else b""
    response.headers["Content-Length"] = str(len(body))
    return _head(response.status, response.headers), body


def _head(status: int, headers: CIMultiDict[str]) -> bytes:
    guard(headers, "/live/")
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")
