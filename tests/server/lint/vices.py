"""Origins that break one rule each, as real servers were seen to."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

from aiohttp import web

from tests.server.lint.origin import FRAME, Vice

Text = Callable[[web.Request, str], str]
CORS = {"Access-Control-Allow-Origin": "*"}


def _swapped(old: str, new: str | Callable[[re.Match[str]], str]) -> Text:
    """Write something else in every playlist."""
    return lambda _, text: re.sub(old, new, text, flags=re.MULTILINE)


def _in_delta(old: str, new: str) -> Text:
    """Write something else in delta updates."""

    def tell(request: web.Request, text: str) -> str:
        asked = "_HLS_skip" in request.query
        return re.sub(old, new, text, flags=re.MULTILINE) if asked else text

    return tell


def _doubled(found: re.Match[str]) -> str:
    """Write a number twice as large behind what introduces it."""
    head, number = re.split(r"(?=\d+$)", found[0], maxsplit=1)
    return f"{head}{2 * int(number)}"


def _from(msn: int, old: str, new: str | Callable[[re.Match[str]], str]) -> Text:
    """Write something else once the playlist begins at `msn`."""

    def tell(_: web.Request, text: str) -> str:
        first = re.search(r"MEDIA-SEQUENCE:(\d+)", text)
        late = first is not None and int(first[1]) >= msn
        return re.sub(old, new, text, flags=re.MULTILINE) if late else text

    return tell


def _in_rendition(name: str, old: str, new: str) -> Text:
    def tell(request: web.Request, text: str) -> str:
        return re.sub(old, new, text, flags=re.MULTILINE) if f"/{name}/" in request.path else text

    return tell


def _first_is_kept() -> Text:
    """Answer plain reloads that come late with what the playlist was at first."""
    kept: dict[str, str] = {}

    def tell(request: web.Request, text: str) -> str:
        first = kept.setdefault(request.path, text)
        segments = re.search(r"MEDIA-SEQUENCE:(\d+)", text)
        late = segments is not None and int(segments[1]) >= 15
        return first if late and not request.query else text

    return tell


def _without(header: str, statuses: range) -> Callable[[web.Request, web.Response], web.Response]:
    def reply(_: web.Request, answer: web.Response) -> web.Response:
        if answer.status in statuses:
            answer.headers.pop(header, None)
        return answer

    return reply


def answering(status: int, path: str) -> Callable[[web.Request, web.Response], web.Response]:
    """Answer a path with another status."""

    def reply(request: web.Request, answer: web.Response) -> web.Response:
        if re.search(path, request.path):
            return web.Response(status=status, headers=CORS)
        return answer

    return reply


def refusing(
    status: int, test: Callable[[dict[str, str]], bool]
) -> Callable[[web.Request, web.Response], web.Response]:
    """Answer what is asked with such a query with another status."""

    def reply(request: web.Request, answer: web.Response) -> web.Response:
        if test(dict(request.query)):
            return web.Response(status=status, headers=CORS)
        return answer

    return reply


def _fickle() -> Callable[[web.Request, web.Response], web.Response]:
    """Give other bytes when the same segment is asked for again."""
    seen: set[str] = set()

    def reply(request: web.Request, answer: web.Response) -> web.Response:
        plain = request.method == "GET" and answer.status == 200
        if plain and re.search(r"lint-\d+\.m4s", request.path):
            if request.path in seen and isinstance(answer.body, bytes):
                answer.body = answer.body[:-1] + b"?"
            seen.add(request.path)
        return answer

    return reply


def _uncoded(_: web.Request, answer: web.Response) -> web.Response:
    """Send everything as it is."""
    if answer.headers.get("Content-Encoding") == "gzip" and isinstance(answer.body, bytes):
        del answer.headers["Content-Encoding"]
        answer.body = gzip.decompress(answer.body)
    return answer


def _forgetful() -> Callable[[web.Request, web.Response], web.Response]:
    """Give no segment again that is older than the playlist's first."""
    first = [0]

    def reply(request: web.Request, answer: web.Response) -> web.Response:
        if isinstance(answer.body, bytes) and request.path.endswith("60p/index.m3u8"):
            first[0] += request.query.get("_HLS_part") == "0"
        found = re.search(r"lint-(\d+)\.m4s", request.path)
        if found and int(found[1]) < 13 + first[0]:
            return web.Response(status=404, headers=CORS)
        return answer

    return reply


def _whole(request: web.Request, answer: web.Response) -> web.Response:
    """Answer a range with everything."""
    if "Range" in request.headers and answer.status == 206:
        return web.Response(headers=CORS)
    return answer


def _plain(query: dict[str, str]) -> dict[str, str]:
    """Take a part without its msn for a plain reload."""
    return {} if "_HLS_msn" not in query else query


def _impatient(query: dict[str, str]) -> dict[str, str]:
    """Answer _HLS_msn alone at once."""
    return {} if "_HLS_part" not in query else query


def _lenient(query: dict[str, str]) -> dict[str, str]:
    """Take an msn far ahead, of which no part is asked for, for a plain reload."""
    return {} if "_HLS_part" not in query and int(query.get("_HLS_msn", "0")) >= 36 else query


def _one_before(found: re.Match[str]) -> str:
    return f"{found[1]}{int(found[2]) - 1}"


SOON = r"(?=#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:22)"
"""Before a segment that comes while the linter watches, and stays as long."""
OTHER_MAP = '#EXT-X-MAP:URI="init-lint-0.mp4?b"\n'
BEHIND_PARTS = r"(#EXT-X-PROGRAM-DATE-TIME:.*\n)(#EXT-X-PART:.*\n)"
VICES: dict[tuple[int, str], Vice] = {
    (1, "the target duration grows"): Vice(
        text=_from(14, r"(TARGETDURATION:)1$|(CAN-SKIP-UNTIL=)6|(,HOLD-BACK=)3", _doubled)
    ),
    (1, "segments are too long"): Vice(frames=(6,) * 7),
    (2, "a short part in the middle"): Vice(frames=(6, 3, 6, 6, 3)),
    (2, "parts are too long"): Vice(text=_swapped(r"PART-TARGET=[0-9.]+", "PART-TARGET=0.2")),
    (3, "nothing comes for seconds"): Vice(stall=3.0),
    (4, "two parts are held back"): Vice(
        text=_swapped(r"PART-HOLD-BACK=[0-9.]+", "PART-HOLD-BACK=0.5")
    ),
    (4, "one rendition has its own"): Vice(
        text=_in_rendition("60p", r"PART-HOLD-BACK=[0-9.]+", "PART-HOLD-BACK=0.9")
    ),
    (5, "a part without its msn is served"): Vice(query=_plain),
    (5, "msn alone is answered at once"): Vice(query=_impatient),
    (5, "an msn far ahead is served"): Vice(query=_lenient),
    (5, "an msn that left is refused"): Vice(
        reply=refusing(400, lambda query: int(query.get("_HLS_msn", "99")) < 20)
    ),
    (5, "a part past the last is refused"): Vice(
        reply=refusing(400, lambda query: query.get("_HLS_part") == "4")
    ),
    (5, "directives to an ended playlist are refused"): Vice(
        ends=True, reply=refusing(400, lambda query: query.get("_HLS_msn") == "999999999")
    ),
    (6, "date ranges are left out"): Vice(text=_in_delta(r"#EXT-X-DATERANGE:.*\n", "")),
    (6, "too much is skipped"): Vice(
        text=_in_delta(r"(SKIPPED-SEGMENTS=)\d+", r"\g<1>12")
    ),
    (6, "the boundary is too near"): Vice(
        text=_swapped(r"CAN-SKIP-UNTIL=\d+", "CAN-SKIP-UNTIL=3")
    ),
    (7, "nothing is hinted"): Vice(text=_swapped(r"#EXT-X-PRELOAD-HINT:.*\n", "")),
    (7, "two parts are hinted"): Vice(text=_swapped(r"(#EXT-X-PRELOAD-HINT:.*\n)", r"\1\1")),
    (7, "an unknown part is unavailable"): Vice(reply=answering(503, "no-such-part")),
    (7, "another part follows"): Vice(text=_swapped(r'(TYPE=PART,URI="lint-p)(\d+)', _one_before)),
    (8, "the playlist goes back"): Vice(text=_first_is_kept()),
    (8, "listed segments get other names"): Vice(
        text=_from(16, r"^(lint-\d+\.m4s)$", r"\1?again")
    ),
    (9, "what left is gone"): Vice(reply=_forgetful()),
    (10, "the date stands behind the part"): Vice(text=_swapped(BEHIND_PARTS, r"\2\1")),
    (10, "a discontinuity in one rendition"): Vice(
        text=_in_rendition("60p", SOON, f"#EXT-X-DISCONTINUITY\n{OTHER_MAP}")
    ),
    (10, "another map without a discontinuity"): Vice(text=_swapped(SOON, OTHER_MAP)),
    (11, "segments begin without an IDR"): Vice(idr=False),
    (11, "one rendition has its own times"): Vice(apart=3 * FRAME),
    (12, "dates without milliseconds"): Vice(text=_swapped(r"\.\d{3}Z$", "Z")),
    (12, "dates differ"): Vice(text=_in_rendition("60p", r"\.\d{3}Z$", ".400Z")),
    (13, "durations are rounded"): Vice(text=_swapped(r"#EXTINF:1\.0+,", "#EXTINF:1.008,")),
    (13, "decode times jump"): Vice(jump=2 * FRAME),
    (14, "no average"): Vice(text=_swapped(r"AVERAGE-BANDWIDTH=\d+,", "")),
    (14, "half the bandwidth"): Vice(text=_swapped(r":BANDWIDTH=\d+", ":BANDWIDTH=20000")),
    (14, "captions in one rung"): Vice(text=_swapped(r"(x90,\S*),CLOSED-CAPTIONS=NONE", r"\1")),
    (14, "no rendition reports"): Vice(text=_swapped(r"#EXT-X-RENDITION-REPORT:.*\n", "")),
    (14, "another codec"): Vice(text=_swapped(r"avc1\.42c01e", "avc1.640028")),
    (14, "another sound in each rung"): Vice(same_sound=False),
    (15, "errors without CORS"): Vice(
        reply=_without("Access-Control-Allow-Origin", range(400, 500))
    ),
    (15, "media without ETag"): Vice(reply=_without("ETag", range(200, 300))),
    (15, "media not to be cached"): Vice(reply=_without("Cache-Control", range(200, 300))),
    (15, "no ranges"): Vice(reply=_whole),
    (15, "directives in URIs"): Vice(text=_swapped(r"^(lint-\d+\.m4s)$", r"\1?_HLS_msn=1")),
    (15, "playlists are never compressed"): Vice(reply=_uncoded),
    (15, "compressed without Vary"): Vice(reply=_without("Vary", range(200, 300))),
    (15, "other bytes under one name"): Vice(reply=_fickle()),
    (16, "no planned duration"): Vice(text=_swapped(r"PLANNED-DURATION=[0-9.]+,", "")),
    (16, "a value changes"): Vice(text=_from(15, r'(PRODUCT=)"cup"', r'\1"pot"')),
    (16, "not in every rendition"): Vice(
        text=_in_rendition("audio", r"#EXT-X-DATERANGE:.*\n", "")
    ),
    (17, "a large ID3"): Vice(event_size=2000),
    (17, "an event of version 0"): Vice(event_version=0),
    (18, "a version too high"): Vice(text=_swapped(r"(EXT-X-VERSION:)6", r"\g<1>9")),
    (18, "two fragments in a part"): Vice(pairs=2),
}  # fmt: skip
