"""Channels' sources, on the store. Reads through: another process may set one."""

from __future__ import annotations

from dataclasses import replace

from server.channels import is_channel_id
from server.errors import Invalid, NotFound, Problem
from server.source import Source, with_secrets, wrong_with
from server.store.port import Store


class Sources:
    def __init__(self, store: Store, *, allow_private: bool, most: int) -> None:
        self._store = store
        self._allow_private = allow_private
        self._most = most

    def check(self, source: Source, field: str = "url") -> None:
        """Raise Invalid, under the name `field`, for an address that may not be opened."""
        wrong = wrong_with(source.url, allow_private=self._allow_private)
        if wrong is not None:
            raise Invalid(Problem(field, wrong))

    async def all(self) -> dict[str, Source]:
        """Return every channel's source, by channel."""
        return await self._store.sources()

    async def get(self, channel_id: str) -> Source:
        """Raises NotFound."""
        source = await self._store.source(channel_id) if is_channel_id(channel_id) else None
        if source is None:
            raise NotFound("source of channel", channel_id[:64])
        return source

    async def put(self, channel_id: str, source: Source) -> Source:
        """Give the channel this source. Raises Invalid, NotFound (the channel), TooLarge.

        An address that was read here and comes back masked keeps its secrets.
        """
        meant = with_secrets(source.url, await self._store.source(channel_id))
        kept = replace(source, url=meant)
        self.check(kept)
        await self._store.put_source(channel_id, kept, self._most)
        return kept

    async def remove(self, channel_id: str) -> None:
        """Raises NotFound."""
        if not await self._store.remove_source(channel_id):
            raise NotFound("source of channel", channel_id[:64])

    async def switch_off(self, channel_id: str, source: Source) -> bool:
        """Switch `source` off; False when it is not the channel's any more."""
        return await self._store.replace_source(channel_id, source, replace(source, enabled=False))
