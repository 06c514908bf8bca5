"""Which channels ask for tokens, and the keys that sign them. asyncio, on the store.

A signing key is shown once and stored nowhere: it is derived from the server's own secret (a
file) and the channel's salt (the store), so that neither a copied database nor a copied file
alone gives it away. Whoever watches is judged from memory; the store is read every SECONDS, since
a command beside the server may have changed it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final

import structlog

from server.channel import PlaybackAccess, PlaybackMode
from server.channels import MAX_KEEP_OLD_SECONDS, is_channel_id
from server.clock import Clock
from server.errors import Conflict, Invalid, NotFound, Problem, VitrineError
from server.playback.judge import PUBLIC, Denied, Judge, Policy, SigningKey
from server.playback.token import Claims, is_session, is_viewer, mint
from server.store.port import Store

SECONDS: Final = 2.0
KEY_PREFIX: Final = "pb_"
MOST_SECONDS: Final = 366 * 86_400
"""How long a token that we mint may be good."""


class Playback:
    """Who may watch which channel."""

    def __init__(self, store: Store, secret: str, clock: Clock) -> None:
        """`secret`: the server's own, from which all keys are derived."""
        self._store = store
        self._secret = secret.encode()
        self._clock = clock
        self._policies: Mapping[str, Policy] = {}
        self._judge = Judge()
        self._reading = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("playback")

    async def start(self) -> None:
        """Learn the channels' rules and go on following them. Raises Unavailable."""
        await self.refresh()
        self._watch = asyncio.create_task(self._follow(), name="playback")

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    async def refresh(self) -> None:
        """Do as the store says now. Raises Unavailable; then all stays as it was."""
        async with self._reading:  # an older reading must not end after a newer one
            found = await self._store.playbacks()
            self._policies = {
                name: self._policy(name, access)
                for name, access in found.items()
                if access.mode is PlaybackMode.SIGNED
            }

    # Asked for every request

    def is_signed(self, channel: str) -> bool:
        """Tell whether the channel asks for tokens."""
        return channel in self._policies

    def judge(self, channel: str, token: str, grace_seconds: int = 0) -> Claims | Denied:
        """Tell what a token opens, or why it does not open the channel now."""
        policy = self._policies.get(channel, PUBLIC)
        return self._judge.judge(policy, token, channel, self._clock.wall_ms(), grace_seconds)

    def mode(self, channel: str) -> PlaybackMode:
        return PlaybackMode.SIGNED if self.is_signed(channel) else PlaybackMode.PUBLIC

    # Asked by who runs the channel

    async def set_mode(self, channel: str, mode: PlaybackMode) -> str | None:
        """Set who may watch; give the signing key where this made it, to be shown this once.

        Raises NotFound.
        """
        fresh = _salt()
        access = await self._store.set_playback(channel, mode, fresh)
        if access is None:
            raise NotFound("channel", channel[:64])
        await self.refresh()
        return self._key(channel, fresh) if access.salt == fresh else None

    async def rotate(self, channel: str, keep_old_seconds: int = 0) -> str:
        """Replace the signing key; give the new one, to be shown this once.

        `keep_old_seconds`: for so long tokens under the old key are good still. Raises NotFound,
        Invalid, Conflict for a channel that has no key.
        """
        if not 0 <= keep_old_seconds <= MAX_KEEP_OLD_SECONDS:
            rule = f"must be 0 to {MAX_KEEP_OLD_SECONDS} seconds"
            raise Invalid(Problem("keep_old_seconds", rule))
        fresh = _salt()
        until = self._clock.wall_ms() + 1000 * keep_old_seconds if keep_old_seconds else None
        if not await self._store.rotate_playback(channel, fresh, until):
            await self._access(channel)  # says which of the two is missing
        await self.refresh()
        return self._key(channel, fresh)

    async def mint(
        self, channel: str, seconds: int, *, session: str = "", wait: int = 0, viewer: str = ""
    ) -> tuple[str, Claims]:
        """Make a token that is good for `seconds`, from `wait` seconds on.

        Raises NotFound, Invalid, Conflict for a channel that has no key.
        """
        problems = [
            Problem(field, rule)
            for field, wrong, rule in (
                ("seconds", not 1 <= seconds <= MOST_SECONDS, f"must be 1 to {MOST_SECONDS}"),
                ("wait", not 0 <= wait <= MOST_SECONDS, f"must be 0 to {MOST_SECONDS}"),
                ("session", not is_session(session), "must be the id of a session"),
                ("viewer", not is_viewer(viewer), "must be at most 64 of A-Z a-z 0-9 - _"),
            )
            if wrong
        ]
        if problems:
            raise Invalid(*problems)
        access = await self._access(channel)
        begin = self._clock.wall_ms() // 1000 + wait
        claims = Claims(channel, begin + seconds, session, begin if wait else 0, viewer)
        return mint(claims, self._key(channel, access.salt)), claims

    async def _access(self, channel: str) -> PlaybackAccess:
        access = await self._store.playback(channel) if is_channel_id(channel) else None
        if access is not None and access.salt:
            return access
        if not is_channel_id(channel) or await self._store.channel(channel) is None:
            raise NotFound("channel", channel[:64])
        raise Conflict(
            "no-playback-key",
            f"The channel {channel!r} has no signing key: set its playback to signed first.",
        )

    def _policy(self, channel: str, access: PlaybackAccess) -> Policy:
        if not access.salt:
            return Policy(signed=True)
        keys = [SigningKey(self._key(channel, access.salt))]
        if access.old_salt:
            keys.append(SigningKey(self._key(channel, access.old_salt), access.old_until_ms))
        return Policy(signed=True, keys=tuple(keys))

    def _key(self, channel: str, salt: str) -> str:
        said = f"vitrine.playback\n{channel}\n{salt}".encode()
        made = hmac.new(self._secret, said, hashlib.sha256).digest()
        return KEY_PREFIX + base64.urlsafe_b64encode(made).rstrip(b"=").decode("ascii")

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            try:
                await self.refresh()
            except VitrineError as error:
                self._log.warning("who may watch cannot be read anew", reason=str(error))
            except Exception:  # noqa: BLE001 - logged; the next look may succeed
                self._log.exception("reading who may watch failed")


def _salt() -> str:
    return secrets.token_urlsafe(16)
