"""Recordings for tests: what a real worker made, cut, named and stored as a recorder does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.record.recording import RecordedEpoch, RecordedSegment, RecordedTrack, Recording
from server.record.storage import Storage
from tests.helpers.clips import Clip, units
from tests.helpers.footage import shifted
from tests.helpers.rendered import epochs, parts
from tests.helpers.worker_run import PROFILE, START_MS, Run
from transcode.message import Up
from transcode.part import Epoch
from transcode.profile import Profile

CHANNEL, SESSION = "demo", "01HXVITRINE0000000000000AA"
AWAY_MS = 60_000


@dataclass(frozen=True)
class Recorded:
    """A recording and its files, by storage key."""

    recording: Recording
    files: dict[str, bytes]

    async def put(self, storage: Storage) -> None:
        for key, data in self.files.items():
            await storage.write(key, data)


def two_epochs(clips: Sequence[Clip], profile: Profile = PROFILE) -> list[Up]:
    """Have a worker make a show of `clips`, each another publisher's, a minute later than the last.

    Pictures are numbered from 0 on in the first, from 1000 on in the second.
    """
    run = Run(profile=profile)
    at_ms = START_MS
    for number, clip in enumerate(clips):
        if number:
            run.pipeline.splice()
        media = units(clip, first=1000 * number)
        # Its clock stands an hour further on; it arrives when it does.
        run.feed(shifted(media, 90_000 * 3_600 * number), at_ms - 3_600_000 * number)
        at_ms += round(clip.seconds * 1000) + AWAY_MS
    return run.close()


def recorded(messages: list[Up]) -> Recorded:
    """Store what a worker made."""
    made = epochs(messages)
    files: dict[str, bytes] = {}
    renditions: dict[str, list[RecordedSegment]] = {t.name: [] for t in made[0].tracks}
    empty = Recording(CHANNEL, SESSION, "Demo", made[0].pdt_ms, made[-1].pdt_ms, (), {})
    for number, epoch in enumerate(made):
        for track in epoch.tracks:
            files[empty.key(track.name, f"init-{number}.mp4")] = track.init
            segments = _segments(messages, epoch, number, track.name)
            for segment, data in segments:
                files[empty.key(track.name, segment.name)] = data
                renditions[track.name].append(segment)
    named = tuple(_epoch(epoch, number) for number, epoch in enumerate(made))
    kept = {name: tuple(segments) for name, segments in renditions.items()}
    end_ms = max(segments[-1].end_ms for segments in kept.values())
    return Recorded(Recording(CHANNEL, SESSION, "Demo", made[0].pdt_ms, end_ms, named, kept), files)


def _segments(
    messages: list[Up], epoch: Epoch, number: int, rendition: str
) -> list[tuple[RecordedSegment, bytes]]:
    found = []
    made = parts(messages, rendition, epoch.number)
    for index in sorted({part.segment for part in made}):
        some = [part for part in made if part.segment == index]
        data = b"".join(part.data for part in some)
        segment = RecordedSegment(
            epoch=number,
            msn=number * 1000 + index,
            name=f"e{number}s{index}.m4s",
            init=f"init-{number}.mp4",
            pdt_ms=epoch.pdt_ms + round(some[0].start / 90),
            duration=sum(part.duration for part in some),
            size=len(data),
            discontinuity=number > 0 and index == 0,
        )
        found.append((segment, data))
    return found


def _epoch(epoch: Epoch, number: int) -> RecordedEpoch:
    tracks = tuple(
        RecordedTrack(
            t.name, t.codecs, t.bandwidth, t.width, t.height, t.frame_rate, f"init-{number}.mp4"
        )
        for t in epoch.tracks
    )
    return RecordedEpoch(number, epoch.pdt_ms, tracks)
