"""How answers are delivered: types, codings, cross-origin reads, caching. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from server.lint.notes import Notes
from server.lint.reader import ReadPlaylist
from server.lint.reply import Reply

PLAYLIST_TYPES = ("application/vnd.apple.mpegurl", "audio/mpegurl", "application/x-mpegurl")
MEDIA_TYPES = ("video/mp4", "audio/mp4", "video/iso.segment", "audio/iso.segment")
LEAST_MEDIA_AGE = 60
"""Seconds that media under a name of its own must be cacheable."""
SHORT = 512
"""Bytes of a playlist that need not be compressed."""


def judge_playlist_reply(notes: Notes, reply: Reply) -> None:
    """Judge an answer of 200 with a playlist, asked with `Accept-Encoding: gzip`."""
    where = _path(reply)
    kind = _type(reply)
    notes.check(15, "playlists", kind in PLAYLIST_TYPES, f"a playlist of type {kind!r}", where)
    if len(reply.body) > SHORT:
        coded = reply.header("Content-Encoding") == "gzip"
        notes.check(15, "gzip", coded, "a playlist is not sent in gzip", where)
        varies = "accept-encoding" in reply.header("Vary").lower()
        what = "a playlist in gzip without Vary: Accept-Encoding"
        notes.check(15, "gzip", varies or not coded, what, where)
    judge_cors(notes, reply)


def judge_media_reply(notes: Notes, reply: Reply) -> None:
    """Judge an answer of 200 with media or an initialization section."""
    where = _path(reply)
    kind = _type(reply)
    notes.check(15, "media", kind in MEDIA_TYPES, f"media of type {kind!r}", where)
    age = max_age(reply)
    what = f"media may be cached for {age} s only"
    notes.check(15, "media caching", age >= LEAST_MEDIA_AGE, what, where)
    notes.check(15, "media ETags", bool(reply.header("ETag")), "media without ETag", where)
    judge_cors(notes, reply)


def judge_cors(notes: Notes, reply: Reply) -> None:
    """Judge whether a page of another origin may read the answer, errors included."""
    allowed = bool(reply.header("Access-Control-Allow-Origin"))
    kind = "answers" if reply.status < 400 else "errors"
    what = f"{reply.status} without Access-Control-Allow-Origin"
    notes.check(15, f"CORS on {kind}", allowed, what, _path(reply))


def judge_uris(notes: Notes, name: str, playlist: ReadPlaylist) -> None:
    """Judge whether delivery directives were carried into the playlist's own URIs."""
    newest = playlist.all_segments[-3:]
    uris = [uri for s in newest for uri in (s.uri, s.map_uri, *(p.uri for p in s.parts)) if uri]
    uris += [tag.get("URI", "") for tag in (*playlist.hints, *playlist.reports)]
    clean = not any("_HLS_" in uri for uri in uris)
    notes.check(15, "URIs", clean, "a URI carries a delivery directive (_HLS_)", name)


def max_age(reply: Reply) -> int:
    """Read how long the answer may be cached, seconds; 0 where that is not told."""
    found = re.search(r"\bmax-age=(\d{1,12})", reply.header("Cache-Control"))
    return int(found[1]) if found and "no-store" not in reply.header("Cache-Control") else 0


def _type(reply: Reply) -> str:
    return reply.header("Content-Type").partition(";")[0].strip().lower()


def _path(reply: Reply) -> str:
    parts = urlsplit(reply.url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
