"""The live list that a stopped server left, as its journal tells it, to be gone on with. Pure.

What players have seen may neither change nor come back (RFC 8216bis 6.2.1, 6.2.2): where the
journal and what the store knows do not fit, there is no list to go on with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from server.channel import Sequences
from server.hls.lockstep import LAG_SEGMENTS
from server.hls.playlist import Segment
from server.hls.recall import Recalled, RecalledRendition
from server.record.errors import NotRecalled
from server.record.journal import Lapse, Ledger
from server.record.recording import LEAST_HOLE, Kept, RecordedEpoch, RecordedTrack, end_of
from transcode.part import Track

MOST_UNTOLD = 8
"""Numbers that the store may be ahead of the journal; more: the disk did not keep up."""
LEAST_TARGETS = 6
"""Target durations that are worth going on with."""

Told = dict[str, dict[int, Segment]]
"""By rendition and msn."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is on the disk."""

    ledger: Ledger
    inits: Mapping[tuple[str, str], bytes]
    """Every initialization section, by rendition and name."""


def recalled(left: Left, carry: Sequences, dvr_seconds: int) -> Recalled:
    """Make the list, no longer than `dvr_seconds`. Raises NotRecalled.

    `carry`: where the channel goes on.
    """
    ledger = left.ledger
    epoch = ledger.epochs[-1] if ledger.epochs else None
    if epoch is None or epoch.targets is None:
        raise NotRecalled("the journal does not tell what was announced")
    told = _told(ledger)
    whole = _whole_since(told)
    shown = max(whole, _shown_since(ledger))
    told = _between(told, shown, _even_until(told))
    _judge(told, epoch, carry)
    untold = carry.next_msn - 1 - max(map(max, told.values()))
    # As many may have left the list as have come since, and each may be half a target longer.
    slack_ms = (untold + 2) * 1500 * epoch.targets.duration
    longest_ms = 1000 * dvr_seconds
    if shown > whole:
        longest_ms = min(longest_ms, _span_ms(told))
    reach_ms = longest_ms - slack_ms
    if reach_ms < 1000 * LEAST_TARGETS * epoch.targets.duration:
        raise NotRecalled("too little of it is certain to be listed still")
    return Recalled(
        targets=epoch.targets,
        renditions={name: _rendition(name, some, left) for name, some in told.items()},
        tracks=tuple(_track(each, left) for each in sorted(epoch.tracks, key=_rank)),
        first_msn=_first_within(told, reach_ms),
    )


def _told(ledger: Ledger) -> Told:
    """Give all segments and gaps of which the journal tells how they were listed."""
    epochs = {
        one.slot.listed.number: ledger.epochs[one.slot.epoch]
        for one in ledger.kept.values()
        if one.slot.listed is not None and one.slot.epoch < len(ledger.epochs)
    }
    told: Told = {}
    for one in _listed(ledger):
        segment = _segment(one, epochs)
        if segment is not None:
            told.setdefault(one.rendition, {})[segment.msn] = segment
    return told


def _segment(one: Kept | Lapse, epochs: Mapping[int, RecordedEpoch]) -> Segment | None:
    slot, listed = one.slot, one.slot.listed
    if listed is None:
        return None
    epoch = epochs.get(listed.number)
    track = epoch.track(one.rendition) if epoch is not None else None
    return Segment(
        msn=slot.msn,
        uri=slot.name,
        pdt_ms=slot.pdt_ms,
        duration=slot.duration,
        map_uri=track.init if track is not None else None,
        discontinuity_number=listed.number,
        discontinuity=listed.discontinuity,
        gap=isinstance(one, Lapse),
        size=one.size if isinstance(one, Kept) else 0,
    )


def _whole_since(told: Told) -> int:
    """Return the number from which on none is missing, in the whole or in a rendition.

    One that was lost broke the list there; so did a list that was begun anew.
    """
    every: Iterable[Iterable[int]] = (
        *told.values(),
        {msn for some in told.values() for msn in some},
    )
    return max(
        (after for each in every for before, after in pairwise(sorted(each)) if after > before + 1),
        default=min((min(some) for some in told.values()), default=0),
    )


def _shown_since(ledger: Ledger) -> int:
    """Return where the list began when its newest segments came."""
    told = (one.slot.listed for one in _listed(ledger))
    return max((listed.first_msn for listed in told if listed is not None), default=0)


def _listed(ledger: Ledger) -> Iterator[Kept | Lapse]:
    yield from ledger.kept.values()
    yield from ledger.lapses


def _even_until(told: Told) -> int:
    """Return the last number up to which the renditions' segments are as long as each other.

    A crash breaks off each at another part.
    """
    last = max((max(some) for some in told.values()), default=0)
    for msn in range(last - LAG_SEGMENTS, last + 1):
        durations = [
            some[msn].duration for some in told.values() if msn in some and not some[msn].gap
        ]
        if durations and max(durations) - min(durations) >= LEAST_HOLE:
            return msn - 1
    return last


def _between(told: Told, first: int, last: int) -> Told:
    """Give what lies between two numbers, in order, of those that have any of it."""
    cut = {
        name: {msn: some[msn] for msn in sorted(some) if first <= msn <= last}
        for name, some in told.items()
    }
    return {name: some for name, some in cut.items() if some}


def _judge(told: Told, epoch: RecordedEpoch, carry: Sequences) -> None:
    """Judge whether the store and the journal speak of the same list. Raises NotRecalled."""
    if any(track.name not in told for track in epoch.tracks):
        raise NotRecalled("a rendition is not in the journal")
    lasts = [max(some) for some in told.values()]
    if not 0 <= carry.next_msn - 1 - max(lasts) <= MOST_UNTOLD:
        said = f"the journal ends with number {max(lasts)}, the store goes on with"
        raise NotRecalled(f"{said} {carry.next_msn}")
    if max(lasts) - min(lasts) > LAG_SEGMENTS:
        raise NotRecalled("the renditions in the journal do not end together")
    numbers = {some[max(some)].discontinuity_number for some in told.values()}
    if numbers != {carry.discontinuity - 1}:
        said = f"the journal ends with discontinuity {max(numbers)}, the store goes on with"
        raise NotRecalled(f"{said} {carry.discontinuity}")


def _span_ms(told: Told) -> int:
    """Return how long the longest rendition's list is."""
    begin_ms = min(some[min(some)].pdt_ms for some in told.values())
    return _end_ms(told) - begin_ms


def _end_ms(told: Told) -> int:
    lasts = [some[max(some)] for some in told.values()]
    return max(end_of(last.pdt_ms, last.duration) for last in lasts)


def _first_within(told: Told, reach_ms: int) -> int:
    """Return the first number that begins within `reach_ms` of the end, in every rendition."""
    since_ms = _end_ms(told) - reach_ms
    return max(
        next((msn for msn in some if some[msn].pdt_ms >= since_ms), 0) for some in told.values()
    )


def _rendition(name: str, some: Mapping[int, Segment], left: Left) -> RecalledRendition:
    maps = {each.map_uri for each in some.values() if each.map_uri is not None}
    tracks = (epoch.track(name) for epoch in reversed(left.ledger.epochs))
    newest = next((track for track in tracks if track is not None), None)
    return RecalledRendition(
        segments=tuple(some.values()),
        inits={uri: left.inits[name, uri] for uri in maps},
        audio_only=newest is not None and newest.width == 0,
    )


def _rank(track: RecordedTrack) -> tuple[int, int]:
    return -track.width * track.height, -track.bandwidth


def _track(track: RecordedTrack, left: Left) -> Track:
    return Track(
        name=track.name,
        codecs=track.codecs,
        bandwidth=track.bandwidth,
        width=track.width,
        height=track.height,
        frame_rate=track.frame_rate,
        init=left.inits[track.name, track.init],
    )
