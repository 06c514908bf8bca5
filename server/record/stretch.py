"""Which segments of a recording are to be in one file: those of one format. asyncio."""

from __future__ import annotations

from dataclasses import dataclass

from server.errors import Conflict, NotFound
from server.record.recording import RecordedSegment, Recording
from server.record.storage import Storage
from server.record.storyboard import largest
from transcode.chunks import TrackHead, read_init


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be in the file."""

    rendition: str = ""
    """Empty: the largest."""
    part: int | None = None
    """1, 2, 3 ...: of a show whose format changed, the stretch of one format."""
    since_ms: int | None = None
    """On the PDT axis; both or none."""
    until_ms: int | None = None
    fragmented: bool = True
    """What is cut to the frame never is."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Segments of one format, and its tracks."""

    rendition: str
    init: bytes
    heads: tuple[TrackHead, ...]
    segments: list[RecordedSegment]


async def chosen(storage: Storage, recording: Recording, wanted: Wanted) -> Stretch:
    """Choose what is wanted.

    Raises NotFound (a rendition, a part, nothing in the stretch), Conflict `format-changed`,
    RecordError, MediaError.
    """
    stretches = await _stretches(storage, recording, wanted)
    count, part = len(stretches), wanted.part
    if part is None and count > 1:
        said = (
            f"The picture's format changed during the show, and one file holds one format:"
            f" ask for its {count} parts, part=1 to part={count}."
        )
        raise Conflict("format-changed", said)
    if part is not None and not 1 <= part <= count:
        raise NotFound("part", str(part))
    return stretches[(part or 1) - 1]


async def parts_of(storage: Storage, recording: Recording) -> int:
    """Count the files that the whole recording makes. Raises as `chosen`."""
    return len(await _stretches(storage, recording, Wanted()))


async def _stretches(storage: Storage, recording: Recording, wanted: Wanted) -> list[Stretch]:
    """Cut what is wanted where the format changes: an MP4 has one (other players than ours)."""
    rendition = wanted.rendition or largest(recording) or next(iter(recording.renditions), "")
    if rendition not in recording.renditions:
        raise NotFound("rendition", rendition[:64])
    since, until = wanted.since_ms, wanted.until_ms
    if since is None or until is None:
        since, until = recording.started_ms - (1 << 40), recording.started_ms + (1 << 40)
    found: list[Stretch] = []
    inits: dict[str, tuple[bytes, tuple[TrackHead, ...]]] = {}
    for segment in recording.during(rendition, since, until):
        name = segment.init
        if name is None:
            continue
        if name not in inits:
            init = await storage.read(recording.key(rendition, name))
            inits[name] = init, read_init(init)
        init, heads = inits[name]
        if found and found[-1].heads == heads:
            found[-1].segments.append(segment)
        else:
            found.append(Stretch(rendition, init, heads, [segment]))
    if not found:
        raise NotFound("recorded media in", f"{rendition} of that stretch")
    return found
