"""What the shop had on show during a session, as it is kept beside the recording. asyncio."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from server.channel import Session
from server.hls.playlist import DateRange
from server.instant import rfc3339
from server.shop.answers import Json, event_json, intervals_json
from server.shop.settings import ShowSettings
from server.shop.timeline import Timeline
from server.store.port import Store


@dataclass(frozen=True, slots=True)
class Told:
    document: bytes
    """JSON, as the API's timeline has it."""
    ranges: tuple[DateRange, ...]
    """All of the session's."""


class Chronicle:
    """Reads sessions from the store."""

    def __init__(self, store: Store, settings: ShowSettings) -> None:
        self._store = store
        self._settings = settings

    async def tell(self, channel: str, session: Session) -> Told | None:
        """Tell a session's timeline; None when its channel, and so its events, are gone.

        Raises Unavailable.
        """
        if await self._store.channel(channel) is None:
            return None
        events = await self._store.events(channel, session.id)
        timeline = Timeline(session.id).after(events)
        wanted = {item.product_id for item in timeline.intervals}
        products = await self._store.products_by_id(channel, wanted) if wanted else {}
        document: Json = {
            "session": session.id,
            "started_at": rfc3339(session.started_ms),
            "ended_at": None if session.ended_ms is None else rfc3339(session.ended_ms),
            "seq": timeline.seq,
            "intervals": intervals_json(timeline.between(None, None), products),
            "events": [event_json(event) for event in events],
        }
        settings = self._settings
        ranges = timeline.date_ranges(settings.date_range_class, settings.planned_pin_ms)
        return Told(written(document), ranges)

    async def end_of(self, channel: str, session: str) -> int | None:
        """Return when a session ended, UTC ms; None when that is not known."""
        last = await self._store.last_session(channel)
        return last.ended_ms if last is not None and last.id == session else None


def bare(session: str, started_ms: int) -> bytes:
    """Make the document of a session that nothing is known of."""
    return written(
        {
            "session": session,
            "started_at": rfc3339(started_ms),
            "ended_at": None,
            "seq": 0,
            "intervals": [],
            "events": [],
        }
    )


def ended(document: bytes, ended_ms: int) -> bytes:
    """Close what a document, written while the session went on, has open. Raises ValueError."""
    fields: dict[str, Any] = json.loads(document)
    try:
        if fields.get("ended_at") is None:
            fields["ended_at"] = rfc3339(ended_ms)
            for interval in fields.get("intervals", ()):
                if interval.get("end") is None:
                    interval["end"] = max(interval["start"], fields["ended_at"])
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("this is no timeline") from error
    return written(fields)


def written(document: Json) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
