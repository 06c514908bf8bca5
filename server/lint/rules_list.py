"""Rules that one media playlist can be held against by itself. Pure."""

from __future__ import annotations

from fractions import Fraction

from server.lint.notes import Notes
from server.lint.reader import PlaylistError, ReadPlaylist, milliseconds, seconds

MOST_DURATION_ERROR = Fraction(1, 100)
"""Seconds by which a date range's two ends may disagree."""


def judge_list(notes: Notes, name: str, playlist: ReadPlaylist) -> None:
    """Hold a whole playlist against the rules 4, 6, 7, 16 and 18."""
    for rule, what in playlist.faults:
        notes.broke(rule, what, name)
    _control(notes, name, playlist)
    _hints(notes, name, playlist)
    _version(notes, name, playlist)
    for key, pairs in playlist.ranges.items():
        judge_range(notes, f"{name}, {key}", pairs, playlist.ended)


def _control(notes: Notes, name: str, playlist: ReadPlaylist) -> None:
    control, target = playlist.control, playlist.target_duration
    if playlist.ended and not control:
        return  # nothing is reloaded any more
    if not notes.check(
        5,
        "playlists",
        control.get("CAN-BLOCK-RELOAD") == "YES",
        "EXT-X-SERVER-CONTROL does not say CAN-BLOCK-RELOAD=YES",
        name,
    ):
        return
    hold_back = seconds(control.get("HOLD-BACK", str(3 * target)))
    notes.check(
        4,
        "playlists",
        hold_back >= 3 * target,
        f"HOLD-BACK is {float(hold_back):g} s at a target duration of {target} s",
        name,
    )
    if playlist.has_part_target:
        part_hold_back = seconds(control.get("PART-HOLD-BACK", "0"))
        notes.check(
            4,
            "part hold-backs",
            part_hold_back >= 3 * playlist.part_target,
            f"PART-HOLD-BACK is {float(part_hold_back):g} s at a part target of"
            f" {float(playlist.part_target):g} s",
            name,
        )
    if "CAN-SKIP-UNTIL" in control:
        boundary = seconds(control["CAN-SKIP-UNTIL"])
        notes.check(
            6,
            "playlists",
            boundary >= 6 * target,
            f"CAN-SKIP-UNTIL is {float(boundary):g} s at a target duration of {target} s",
            name,
        )


def _hints(notes: Notes, name: str, playlist: ReadPlaylist) -> None:
    parts = [hint for hint in playlist.hints if hint.get("TYPE") == "PART"]
    if playlist.ended:
        notes.check(7, "ended playlists", not parts, "a hint in an ended playlist", name)
    else:
        notes.check(
            7,
            "playlists",
            len(parts) == 1 and "URI" in parts[0],
            f"{len(parts)} hints of a part instead of one",
            name,
        )


def _version(notes: Notes, name: str, playlist: ReadPlaylist) -> None:
    maps = any(segment.map_uri for segment in playlist.all_segments)
    least = 9 if playlist.skipped else 6 if maps else 3
    told = playlist.version
    good = told == least or (told > least and bool(playlist.others))
    what = f"EXT-X-VERSION is {told}; the tags used need {least}"
    notes.check(18, "versions", good, what, name)


def judge_range(notes: Notes, where: str, pairs: dict[str, str], ended: bool) -> None:
    """Hold one EXT-X-DATERANGE against rule 16."""
    notes.check(16, "date range tags", bool(pairs.get("ID")), "a date range without ID", where)
    problems = []
    if "START-DATE" not in pairs:
        problems.append("a date range without START-DATE")
    if "PLANNED-DURATION" not in pairs:
        problems.append("a date range without PLANNED-DURATION")
    if "END-ON-NEXT" in pairs:
        problems.append("a date range with END-ON-NEXT")
    if not any(name.startswith("X-") for name in pairs):
        problems.append("a date range without an X- attribute")
    if ended and not {"DURATION", "END-DATE"} & pairs.keys():
        problems.append("a date range is open in an ended playlist")
    if {"DURATION", "END-DATE", "START-DATE"} <= pairs.keys():
        try:
            span = milliseconds(pairs["END-DATE"]) - milliseconds(pairs["START-DATE"])
            if abs(Fraction(span, 1000) - seconds(pairs["DURATION"])) > MOST_DURATION_ERROR:
                problems.append("END-DATE and DURATION of a date range disagree")
        except PlaylistError as error:
            problems.append(f"a date range: {error}")
    for problem in problems:
        notes.broke(16, problem, where)
