"""Recordings that have ended, read by many."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.errors import NotFound
from server.record.recording import RecordedTrack, Recording
from tests.server.record.deck import deck


async def test_a_request_for_media_does_not_walk_through_the_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks: list[str] = []
    walk = Recording.track

    def counted(recording: Recording, rendition: str) -> RecordedTrack | None:
        walks.append(rendition)
        return walk(recording, rendition)

    monkeypatch.setattr(Recording, "track", counted)
    async with deck(tmp_path) as one:
        await one.end(await one.on_air(3))
        names = {each.uri for each in (await one.playlist()).segments}
        (init,) = {each.map_uri or "" for each in (await one.playlist("audio")).segments}
        assert len(names) == 3
        walks.clear()
        assert {(await one.media(name or "")).content_type for name in names} == {"video/mp4"}
        assert (await one.media(init, "audio")).content_type == "audio/mp4"
        with pytest.raises(NotFound):
            await one.media(init, "4k")
    assert walks == []
