"""The rules of a correct low-latency HLS origin that can be seen from outside. Values only.

Sections are those of RFC 8216bis.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    number: int
    title: str
    advice: str
    """What to do when it is broken."""


RULES = tuple(
    Rule(number, title, advice)
    for number, title, advice in (
        (
            1,
            "the target duration is constant and bounds every segment",
            "Cut segments on forced keyframes; announce the longest that can come and keep it"
            " (6.2.1).",
        ),
        (
            2,
            "parts are within PART-TARGET, and at least 85 % of it",
            "Choose a part duration into which whole frames fit, the same for all (4.4.4.9).",
        ),
        (
            3,
            "parts and segments come in time",
            "Add a part every PART-TARGET and a segment within 1.5 target durations; where media"
            " is missing, list EXT-X-GAP, or end the playlist (6.2.1).",
        ),
        (
            4,
            "hold-backs are three targets, the same server control everywhere",
            "PART-HOLD-BACK >= 3 x PART-TARGET, HOLD-BACK >= 3 x target duration, one"
            " EXT-X-SERVER-CONTROL for all renditions (4.4.3.8).",
        ),
        (
            5,
            "blocking reload",
            "Hold _HLS_msn and _HLS_part until they are there; 400 for a part without msn and for"
            " more than two segments ahead; the whole playlist for what is gone (6.2.5.2).",
        ),
        (
            6,
            "delta updates merge into the whole playlist",
            "Announce CAN-SKIP-UNTIL of six target durations or more; replace only segments behind"
            " it, and keep every other tag (6.2.5.1).",
        ),
        (
            7,
            "one preload hint, which blocks and comes true",
            "Hint exactly the next part's URI, answer it whole when it is there, and answer 404 at"
            " once to any other (6.2.6).",
        ),
        (
            8,
            "sequences never go back",
            "Media and discontinuity sequence only grow, across reconnects and restarts; a segment"
            " keeps its number (6.2.2).",
        ),
        (
            9,
            "what left the playlist can still be loaded",
            "Keep a segment for itself and the longest playlist it was in, a part for three target"
            " durations; list six segments or more (6.2.2).",
        ),
        (
            10,
            "a change is a discontinuity with its own map, in all renditions at once",
            "Write EXT-X-DISCONTINUITY, EXT-X-MAP and EXT-X-PROGRAM-DATE-TIME before the segment's"
            " first EXT-X-PART, at one segment in every rendition (6.2.1, 4.4.4.9).",
        ),
        (
            11,
            "renditions share boundaries and timestamps; segments begin with an IDR",
            "Force keyframes at the same media times in every encoder and cut there; switch"
            " scene-cut keyframes off (6.2.4).",
        ),
        (
            12,
            "every segment has its date, in all renditions the same",
            "Write EXT-X-PROGRAM-DATE-TIME with milliseconds and zone on every segment, computed"
            " from media time (4.4.4.6, 6.2.4).",
        ),
        (
            13,
            "durations are those of the samples, timestamps go on",
            "Measure EXTINF and part durations from the samples written, to a millisecond; begin"
            " each fragment where the last ended.",
        ),
        (
            14,
            "the multivariant playlist is truthful and complete",
            "CODECS, RESOLUTION, FRAME-RATE, measured BANDWIDTH (within 10 %) and"
            " AVERAGE-BANDWIDTH, EXT-X-INDEPENDENT-SEGMENTS, an audio-only rendition, and"
            " EXT-X-RENDITION-REPORT for all others (4.4.6.2, B.1).",
        ),
        (
            15,
            "delivery: types, gzip, CORS, caching, ETag, Range, HTTP/2",
            "Send CORS headers on errors too, gzip playlists, let media be cached for long under"
            " names that are never used again, answer ranges and conditions; HTTP/2 over TLS.",
        ),
        (
            16,
            "date ranges are whole, and nothing changes under an id",
            "Repeat every attribute in every tag, PLANNED-DURATION and one X- attribute among"
            " them; no END-ON-NEXT; close all at the end (4.4.5.1).",
        ),
        (
            17,
            "ID3 in the media: emsg of version 1, at most 1 KB",
            "Use the scheme https://aomedia.org/emsg/ID3 and a time within the fragment.",
        ),
        (
            18,
            "fragments are one moof and mdat; EXT-X-VERSION is the lowest that fits",
            "One moof and one mdat a part, the segment its parts in a row; version 9 only with"
            " EXT-X-SKIP (section 8).",
        ),
    )
)
