"""Channels and their secrets, on the store. Reads through: another process may add one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.address import subscriber
from server.attempts import Attempts
from server.auth import digest, new_secret
from server.channel import Channel, ChannelDefaults, OverlaySettings, SecretKind, StreamKey
from server.clock import Clock
from server.errors import Invalid, NotFound, Problem, RateLimited
from server.locale import is_locale
from server.store.port import Store

MAX_TITLE = 120
MAX_KEY_MS = 10 * 366 * 86_400_000
"""How far ahead an expiry may lie."""
MAX_KEEP_OLD_SECONDS = 7 * 86_400
LOOKS = 20
"""How many times the wrong keys that an address may try are looked up: 200 a minute by default."""
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", re.ASCII)
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of surrogate pairs, which no UTF-8 can hold."""


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A channel just made, with the secrets that are shown this once."""

    channel: Channel
    stream_key: str
    anchor_token: str


class Channels:
    def __init__(
        self, store: Store, clock: Clock, defaults: ChannelDefaults, attempts: Attempts
    ) -> None:
        self._store = store
        self._clock = clock
        self._defaults = defaults
        self._attempts = attempts

    async def add(
        self,
        channel_id: str,
        title: str = "",
        profile: str | None = None,
        overlay: OverlaySettings | None = None,
        key_expires_ms: int | None = None,
    ) -> NewChannel:
        """Make a channel and its secrets; what is not given is taken from the configuration.

        The stream key begins no broadcast from `key_expires_ms` (UTC) on; None: it never expires.

        Raises Invalid naming every wrong field, Conflict `exists`, TooLarge.
        """
        channel = Channel(
            id=channel_id,
            title=title.strip() or channel_id,
            profile=profile or self._defaults.profile,
            overlay=overlay or self._defaults.overlay,
            created_ms=self._clock.wall_ms(),
            key_expires_ms=key_expires_ms,
        )
        # In a thread: CLDR's files are read at the first question of each language.
        problems = await asyncio.to_thread(self._problems, channel)
        if problems:
            raise Invalid(*problems)
        made = NewChannel(channel, new_secret(), new_secret())
        digests = (
            (SecretKind.STREAM_KEY, digest(made.stream_key)),
            (SecretKind.ANCHOR_TOKEN, digest(made.anchor_token)),
        )
        await self._store.add_channel(channel, digests, self._defaults.max_channels)
        return made

    async def list(self) -> tuple[Channel, ...]:
        return await self._store.channels()

    async def get(self, channel_id: str) -> Channel:
        """Raises NotFound."""
        channel = await self._store.channel(channel_id) if is_channel_id(channel_id) else None
        if channel is None:
            raise NotFound("channel", channel_id[:64])
        return channel

    async def rename(self, channel_id: str, title: str) -> str:
        """Give the channel another title, its id for an empty one; return what it is now.

        Raises NotFound, Invalid.
        """
        title = title.strip() or channel_id
        problems = _title_problems(title)
        if problems:
            raise Invalid(*problems)
        if not await self._store.set_title(channel_id, title):
            raise NotFound("channel", channel_id[:64])
        return title

    async def remove(self, channel_id: str) -> None:
        """Remove the channel and all that belongs to it. Raises NotFound."""
        if not await self._store.remove_channel(channel_id):
            raise NotFound("channel", channel_id[:64])

    async def rotate_key(
        self, channel_id: str, expires_ms: int | None = None, keep_old_seconds: int = 0
    ) -> str:
        """Replace the stream key; the old one is refused from now on, or soon.

        `keep_old_seconds`: for so long the old key still begins broadcasts, and one that is on
        is not cut. Raises NotFound, Invalid.
        """
        problems = _expiry_problems("expires_at", expires_ms, self._clock.wall_ms())
        if not 0 <= keep_old_seconds <= MAX_KEEP_OLD_SECONDS:
            rule = f"must be 0 to {MAX_KEEP_OLD_SECONDS} seconds"
            problems.append(Problem("keep_old_seconds", rule))
        if problems:
            raise Invalid(*problems)
        kept = self._clock.wall_ms() + keep_old_seconds * 1000 if keep_old_seconds else None
        secret = new_secret()
        if not await self._store.rotate_key(channel_id, digest(secret), expires_ms, kept):
            raise NotFound("channel", channel_id[:64])
        return secret

    async def rotate_anchor_token(self, channel_id: str) -> str:
        """Replace the anchor token. Raises NotFound."""
        secret = new_secret()
        kind = SecretKind.ANCHOR_TOKEN
        if not await self._store.set_secret(channel_id, kind, digest(secret)):
            raise NotFound("channel", channel_id[:64])
        return secret

    async def by_stream_key(self, key: str, address: str) -> Channel | None:
        """Return the channel that this key opens now, None for an unknown or expired one.

        Raises RateLimited as `stream_key` does.
        """
        found = await self.stream_key(key, address)
        if found is None or found.expired(self._clock.wall_ms()):
            return None
        return found.channel

    async def stream_key(self, key: str, address: str) -> StreamKey | None:
        """Find a stream key, an expired one too; None for an unknown one.

        Raises RateLimited for an unknown one when too many from `address` were wrong lately; for
        any when they are so many that the store is spared. A key cannot be guessed: a good one is
        let in though an encoder beside it, with an old key, tries without end.
        """
        who, now = subscriber(address), self._clock.monotonic()
        spared = self._attempts.wait(who, now, LOOKS)
        if spared:
            raise _too_many(spared)
        # Looked up by digest: what the index's timing tells is of the hash, which nobody can
        # steer towards a stored one without knowing the secret.
        found = await self._store.stream_key(digest(key))
        if found is None:
            wait = self._attempts.wait(who, now)
            self._attempts.count(who, now)
            if wait:
                raise _too_many(wait)
        elif not found.expired(self._clock.wall_ms()):
            self._attempts.forgive(who)  # an expired key is no guess, and no pardon either
        return found

    async def by_anchor_token(self, token: str) -> Channel | None:
        return await self._store.channel_by_secret(SecretKind.ANCHOR_TOKEN, digest(token))

    def _problems(self, channel: Channel) -> Sequence[Problem]:
        problems = _expiry_problems("key_expires_at", channel.key_expires_ms, self._clock.wall_ms())
        if not is_channel_id(channel.id):
            rule = "must be 1 to 32 of a-z 0-9 -, neither beginning nor ending with -"
            problems.append(Problem("id", rule))
        problems += _title_problems(channel.title)
        if channel.profile not in self._defaults.profiles:
            known = ", ".join(sorted(self._defaults.profiles))
            problems.append(Problem("profile", f"must be one of {known}"))
        if not is_locale(channel.overlay.locale):
            problems.append(
                Problem("overlay.locale", "must be a BCP 47 language tag like en or zh-CN")
            )
        return problems


def _too_many(wait: int) -> RateLimited:
    said = f"Too many wrong stream keys from this address; try again in {wait} s."
    return RateLimited(said, wait)


def is_channel_id(text: str) -> bool:
    """Tell whether `text` may be a channel's id: short, and safe in a URL as it is."""
    return _ID.fullmatch(text) is not None


def _title_problems(title: str) -> list[Problem]:
    if len(title) <= MAX_TITLE and not _UNFIT.search(title):
        return []
    rule = f"must have at most {MAX_TITLE} characters, none of them control characters"
    return [Problem("title", rule)]


def _expiry_problems(field: str, expires_ms: int | None, now_ms: int) -> list[Problem]:
    if expires_ms is None:
        return []
    if expires_ms <= now_ms:
        return [Problem(field, "lies in the past; the key would never begin a broadcast")]
    if expires_ms > now_ms + MAX_KEY_MS:
        return [Problem(field, "must lie within ten years; leave it out for a key without end")]
    return []
