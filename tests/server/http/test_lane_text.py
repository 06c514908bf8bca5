"""What the lane reads: the usual, and not a byte more loosely than aiohttp."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.hls.request import MediaRequest, PlaylistRequest
from server.http.lane_text import ends_whole, read_fields, read_line

HOST = b"Host: live.example.com\r\n"


@pytest.mark.parametrize(
    ("target", "request_"),
    [
        ("/live/tea/720p/index.m3u8", PlaylistRequest("720p")),
        ("/live/tea/720p/index.m3u8?_HLS_msn=7&_HLS_part=2", PlaylistRequest("720p", 7, 2)),
        ("/live/tea/720p/index.m3u8?x=1&_HLS_msn=7", PlaylistRequest("720p", 7)),
        ("/live/tea/720p/r1-p5.m4s", MediaRequest("720p", "r1-p5.m4s")),
        ("/live/tea/audio/init-r1-0.mp4", MediaRequest("audio", "init-r1-0.mp4")),
    ],
)
def test_the_usual_request_lines(target: str, request_: object) -> None:
    asked = read_line(f"GET {target} HTTP/1.1".encode())
    assert asked is not None
    assert (asked.channel, asked.request) == ("tea", request_)
    assert asked.path == target.partition("?")[0]


@pytest.mark.parametrize(
    "line",
    [
        "HEAD /live/tea/720p/index.m3u8 HTTP/1.1",
        "GET /live/tea/720p/index.m3u8 HTTP/1.0",
        "GET  /live/tea/720p/index.m3u8 HTTP/1.1",
        "GET /live/tea/720p/index.m3u8 HTTP/1.1 ",
        "GET /live/tea/index.m3u8 HTTP/1.1",
        "GET /live/tea/720p/sub/index.m3u8 HTTP/1.1",
        "GET /live/tea/720p/ HTTP/1.1",
        "GET /live/tea/../index.m3u8 HTTP/1.1",
        "GET /live/tea/720p/a..b HTTP/1.1",
        "GET /live/tea/%3720p/index.m3u8 HTTP/1.1",
        "GET /live/tea/~token/index.m3u8 HTTP/1.1",
        "GET http://x/live/tea/720p/index.m3u8 HTTP/1.1",
        "GET /live/tea/720p/r1-p5.m4s?x=1 HTTP/1.1",
        "GET /live/tea/720p/index.m3u8?_HLS_msn=x HTTP/1.1",
        "GET /live/tea/720p/index.m3u8?_HLS_msn=1&_HLS_msn=2 HTTP/1.1",
        "GET /live/tea/720p/index.m3u8?_HLS_msn=%31 HTTP/1.1",
        "GET /live/tea/720p/index.m3u8#x HTTP/1.1",
        "GET /live/tea/720p/index.m3u8\x00 HTTP/1.1",
    ],
)
def test_unusual_request_lines_go_the_long_way(line: str) -> None:
    assert read_line(line.encode("latin-1")) is None


@pytest.mark.parametrize(
    ("fields", "gzip"),
    [
        (b"", False),
        (b"Accept-Encoding: gzip, deflate, br\r\n", True),
        (b"accept-encoding:identity\r\n", False),
        (b"Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", True),
        (b"Accept-Encoding: gzip;q=0\r\n", False),
        (b"Connection: keep-alive\r\nUser-Agent: \xe4 player\r\nEmpty:\r\n", False),
    ],
)
def test_usual_headers(fields: bytes, gzip: bool) -> None:
    assert read_fields(HOST + fields + b"\r\n") is gzip


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"\r\n", id="no-host"),
        pytest.param(HOST + HOST + b"\r\n", id="two-hosts"),
        pytest.param(HOST + b"Range: bytes=0-1\r\n\r\n", id="range"),
        pytest.param(HOST + b'If-None-Match: "x"\r\n\r\n', id="condition"),
        pytest.param(HOST + b"Content-Length: 5\r\n\r\n", id="body"),
        pytest.param(HOST + b"Content-Length: 0\r\n\r\n", id="empty-body"),
        pytest.param(HOST + b"Transfer-Encoding: chunked\r\n\r\n", id="chunks"),
        pytest.param(HOST + b"Connection: close\r\n\r\n", id="close"),
        pytest.param(HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", id="upgrade"),
        pytest.param(HOST + b"Expect: 100-continue\r\n\r\n", id="expect"),
        pytest.param(HOST + b"X-Request-Id: a\r\n\r\n", id="own-id"),
        pytest.param(HOST + b"Name : x\r\n\r\n", id="space-before-colon"),
        pytest.param(HOST + b" folded\r\n\r\n", id="folded"),
        pytest.param(HOST + b"A: b\rc\r\n\r\n", id="bare-cr"),
        pytest.param(HOST + b"A: b\nc: d\r\n\r\n", id="bare-lf"),
        pytest.param(HOST + b"A: \x00\r\n\r\n", id="nul"),
        pytest.param(HOST + b": x\r\n\r\n", id="no-name"),
        pytest.param(HOST + b"no colon\r\n\r\n", id="no-colon"),
        pytest.param(HOST + b"\r\nmore", id="more-behind"),
        pytest.param(HOST + b"\r\n\r\n", id="empty-line-behind"),
        pytest.param(HOST, id="cut-off"),
        pytest.param(HOST + b"A: b", id="cut-off-in-a-line"),
    ],
)
def test_unusual_headers_go_the_long_way(block: bytes) -> None:
    assert read_fields(block) is None


@pytest.mark.hypothesis
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_left(data: bytes) -> None:
    assert read_fields(data) in {None, True, False}
    read_line(b"GET /live/tea/720p/" + data + b" HTTP/1.1")
    read_line(data)


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", True),
        (b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n", True),
        (b"GET / HTTP/1.1\r\n" + HOST, False),
        (b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\n\r\nGET", False),
        (b"POST / HTTP/1.1\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nContent-Length: 4\r\n\r\n", False),
        (b"GET / HTTP/1.1\ncONTENT-lENGTH: 4\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", False),
        (b"", False),
    ],
)
def test_a_parser_is_known_to_be_between_two_requests(data: bytes, whole: bool) -> None:
    assert ends_whole(data) is whole
