"""Recordings that have ended, to be read: opened once, rendered once, given to all. asyncio.

The catalogue says what there is; the journal what is in it; the storage has the bytes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from server.errors import Conflict, NotFound, Unavailable
from server.hls.answer import AUDIO_TYPE, PLAYLIST_TYPE, VIDEO_TYPE, Answer, Gzip, etag_of
from server.record.catalogue import Catalogue, Entry, Hold
from server.record.errors import Missing, RecordError
from server.record.journal import read
from server.record.recording import Recording
from server.record.replay import media_playlist, multivariant_playlist
from server.record.storage import JOURNAL, TIMELINE, Storage, home, is_step

MOST_OPEN = 64
"""Recordings that are kept open, one always."""
MOST_SEGMENTS = 400_000
"""Of all that are open: some 200 MB, or a hundred shows of an hour."""
PLAYLIST_SECONDS = 300
"""How long a cache may keep a replay playlist: it never changes, but may be removed."""
MEDIA_SECONDS = 3_600
"""How long media, likewise: a recording that is removed for good must not play on for a year."""
JSON_TYPE = "application/json"


@dataclass(slots=True)
class _Open:
    """A recording that was opened, and what has been rendered of it."""

    recording: Recording
    types: Mapping[str, str]
    """The media type of each rendition that has any: to find it out is a walk through the show."""
    ended_ms: int
    """As the catalogue had it: a session may be gone on with, and end again."""
    answers: dict[str | None, Answer] = field(default_factory=dict)


class Library:
    """Serves recordings. Calls raise NotFound, Conflict `on-air`, Unavailable."""

    def __init__(self, catalogue: Catalogue, storage: Storage) -> None:
        self.catalogue = catalogue
        self.storage = storage
        self._open: OrderedDict[tuple[str, str], _Open] = OrderedDict()
        self._opening: dict[tuple[str, str], asyncio.Lock] = {}

    async def entry(self, channel: str, session: str) -> Entry:
        """Return the catalogue's entry, of a recording on the air too."""
        known = is_step(channel) and is_step(session)
        entry = await self.catalogue.get(channel, session) if known else None
        if entry is None or entry.removing:
            raise NotFound("recording", f"{channel}/{session}"[:80])
        return entry

    async def set_hold(self, channel: str, session: str, by: Hold, *, held: bool) -> Entry:
        """Put a legal hold on a recording, or end it. Raises Conflict `removing`."""
        await self.entry(channel, session)
        act = self.catalogue.hold if held else self.catalogue.release
        if not await act(channel, session, by):
            raise Conflict("removing", "It is being removed already.")
        return await self.entry(channel, session)

    async def recording(self, channel: str, session: str) -> Recording:
        """Return a recording that has ended."""
        return (await self._opened(channel, session)).recording

    async def playlist(self, channel: str, session: str, rendition: str | None) -> Answer:
        """Return a replay playlist; None: the multivariant one."""
        opened = await self._opened(channel, session)
        answer = opened.answers.get(rendition)
        if answer is None:
            recording = opened.recording
            if rendition is not None and rendition not in recording.renditions:
                raise NotFound("rendition", rendition[:64])
            answer = await asyncio.to_thread(_rendered, recording, rendition)
            opened.answers[rendition] = answer
        return answer

    async def media(self, channel: str, session: str, rendition: str, name: str) -> Answer:
        """Return a segment or initialization section; its bytes never change."""
        steps = (channel, session, rendition, name)
        if not all(map(is_step, steps)) or not name.endswith((".m4s", ".mp4")):
            raise NotFound("segment", name[:64])
        opened = self._open.get((channel, session)) or await self._opened(channel, session)
        content_type = opened.types.get(rendition)
        if content_type is None:
            raise NotFound("rendition", rendition[:64])
        body = await self._read(opened.recording.key(rendition, name), "segment")
        return Answer(
            body=body,
            content_type=content_type,
            max_age=MEDIA_SECONDS,
            etag=f'"{rendition}/{name}"',
            immutable=True,
        )

    async def timeline(self, channel: str, session: str) -> Answer:
        """Return what the shop had on show, as it was when the session ended."""
        opened = await self._opened(channel, session)
        recording = opened.recording
        key = f"{home(recording.channel, recording.session)}/{TIMELINE}"
        return await asyncio.to_thread(_answer, await self._read(key, "timeline"), JSON_TYPE)

    def forget(self, channel: str, session: str) -> None:
        """Let go of a recording that was removed."""
        self._open.pop((channel, session), None)

    async def _opened(self, channel: str, session: str) -> _Open:
        entry = await self.entry(channel, session)
        if entry.ended_ms is None:
            said = f"The session is on the air, or has just ended: see /live/{channel}/index.m3u8."
            raise Conflict("on-air", said)
        key = (channel, session)
        async with self._opening.setdefault(key, asyncio.Lock()):
            found = self._open.get(key)
            if found is None or found.ended_ms != entry.ended_ms:
                data = await self._read(f"{home(channel, session)}/{JOURNAL}", "recording")
                found = await asyncio.to_thread(_read_in, data, entry.ended_ms)
                self._open[key] = found
            self._open.move_to_end(key)
        self._opening.pop(key, None)
        self._let_go()
        return found

    def _let_go(self) -> None:
        """Let go of what was not asked for longest, where more is open than memory is for."""
        segments = sum(each.recording.count for each in self._open.values())
        while len(self._open) > 1 and (len(self._open) > MOST_OPEN or segments > MOST_SEGMENTS):
            _, oldest = self._open.popitem(last=False)
            segments -= oldest.recording.count

    async def _read(self, key: str, kind: str) -> bytes:
        try:
            return await self.storage.read(key)
        except Missing as error:
            raise NotFound(kind, key.rpartition("/")[2][:64]) from error
        except RecordError as error:
            raise Unavailable(str(error)) from error


def _read_in(data: bytes, ended_ms: int) -> _Open:
    try:
        recording = read(data).recording()
    except RecordError as error:
        raise Unavailable(f"The recording cannot be read: {error}") from error
    tracks = ((name, recording.track(name)) for name in recording.renditions)
    types = {name: VIDEO_TYPE if track.width else AUDIO_TYPE for name, track in tracks if track}
    return _Open(recording, types, ended_ms)


def _rendered(recording: Recording, rendition: str | None) -> Answer:
    if rendition is None:
        text = multivariant_playlist(recording)
    else:
        text = media_playlist(recording, rendition)
    return _answer(text.encode(), PLAYLIST_TYPE)


def _answer(body: bytes, content_type: str) -> Answer:
    """Make the answer, its coding too: in a thread, for hours of show are a long text."""
    coded = Gzip(body)
    coded.body()
    return Answer(
        body=body,
        content_type=content_type,
        max_age=PLAYLIST_SECONDS,
        etag=f"W/{etag_of(body)}",
        gzip=coded,
    )
