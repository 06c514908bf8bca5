"""Who may come on the air: judges keys for the ingest, and sources for their channels.

asyncio. What is on the air is the registry's.
"""

from __future__ import annotations

from functools import partial

from ingest.port import Entry, Publisher, PublishRequest, Refusal, Refused, Sink
from server.admission import Admission, Admitted
from server.errors import Unavailable
from server.live.registry import PULL, Registry
from server.store.port import Store


class Gate:
    """One server's; see `ingest.port` and `server.live.pull`."""

    def __init__(self, store: Store, admission: Admission, registry: Registry) -> None:
        self._store = store
        self._admission = admission
        self._registry = registry

    async def judge(self, request: PublishRequest) -> Entry | Refused:
        """Judge a stream key; give the way in. See `ingest.port`."""
        judged = await self._admission.judge(
            request,
            lambda channel: self._registry.keys().get(channel, ""),
            partial(self._registry.stops.judge, by_hand=request.by_hand),
        )
        if isinstance(judged, Refused):
            return self._refused(judged)
        return partial(self._let_in, judged, request.publisher, request.protocol)

    async def admit_source(self, channel: str, publisher: Publisher) -> Sink | Refused:
        """Let a pulled source feed its channel, unless an encoder does."""
        try:
            found = await self._store.channel(channel)
        except Unavailable as error:
            return Refused(Refusal.UNAVAILABLE, str(error))
        if found is None:
            return Refused(Refusal.UNAVAILABLE, "the channel was removed")
        refused = await self._admission.ask(found, PublishRequest(PULL, "", "", publisher))
        return refused or await self._registry.attach(found, "", publisher, PULL)

    def is_taken(self, channel: str) -> bool:
        """Tell whether an encoder feeds the channel, or is waited for."""
        return self._registry.is_taken(channel)

    async def _let_in(
        self, admitted: Admitted, publisher: Publisher, protocol: str
    ) -> Sink | Refused:
        let_in = await self._registry.attach(admitted.channel, admitted.key, publisher, protocol)
        return self._refused(let_in) if isinstance(let_in, Refused) else let_in

    def _refused(self, told: Refused) -> Refused:
        self._registry.tally.refused[told.refusal] += 1
        return told
