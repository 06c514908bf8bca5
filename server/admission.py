"""Who may publish: the key, its pace, its expiry, and whoever else is asked.

asyncio. Judges for the gate; what is on the air is the registry's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from ulid import ULID

from ingest.port import PublishRequest, Refusal, Refused
from server.attempts import Attempts
from server.channel import Channel, StreamKey
from server.channels import Channels
from server.clock import Clock
from server.errors import RateLimited, Unavailable
from server.instant import rfc3339
from server.judge import Attempt, Judge

KEY_ID_LENGTH = 12
"""Hexadecimal digits of a key's digest that tell it from others."""
PUBLISHES_PER_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Admitted:
    channel: Channel
    key: str
    """Digest of the stream key that it came with."""


class Admission:
    def __init__(
        self,
        channels: Channels,
        clock: Clock,
        judge: Judge | None = None,
        pace: Attempts | None = None,
    ) -> None:
        """`judge` is asked beside the key; `pace` counts each known key's publishes."""
        self._channels = channels
        self._clock = clock
        self._judge = judge
        self._pace = pace or Attempts(PUBLISHES_PER_MINUTE, 60.0)
        self._log = structlog.get_logger("admission")

    async def judge(
        self,
        request: PublishRequest,
        key_on_air: Callable[[str], str],
        kept_off: Callable[[str, str], Refused | None] = lambda channel, key: None,
    ) -> Admitted | Refused:
        """Judge a publisher.

        `key_on_air` gives the digest of the key with which the broadcast of a channel runs, ""
        for none: that key comes back into its own broadcast after it expired, so that an anchor
        whose line drops is not cut off in the middle of a show. `kept_off` refuses a channel's
        key (its digest) whose broadcast was just stopped, before anybody else is asked.
        """
        try:
            found = await self._channels.stream_key(request.key, request.publisher.peer)
            if found is not None:
                self._keep_pace(found.digest)
        except RateLimited as error:
            return Refused(Refusal.RATE_LIMITED, str(error))
        except Unavailable as error:
            return Refused(Refusal.UNAVAILABLE, str(error))
        if found is None:
            return Refused(Refusal.BAD_KEY, "This stream key is not known; copy it again.")
        if found.expired(self._clock.wall_ms()) and key_on_air(found.channel.id) != found.digest:
            return Refused(Refusal.EXPIRED, _expired(found))
        refused = kept_off(found.channel.id, found.digest)
        refused = refused or await self.ask(found.channel, request, found.digest)
        return refused or Admitted(found.channel, found.digest)

    async def ask(self, channel: Channel, request: PublishRequest, key: str = "") -> Refused | None:
        """Ask the judge, where there is one, about a publisher that is known to be good.

        `key` is the digest of the publisher's key; a source that we fetch has none.
        """
        if self._judge is None:
            return None
        attempt = Attempt(
            id=f"pub_{ULID()}",
            at_ms=self._clock.wall_ms(),
            channel=channel.id,
            protocol=request.protocol,
            app=request.app,
            peer=request.publisher.peer,
            encoder=request.encoder,
            key_id=key[:KEY_ID_LENGTH],
            key=request.key,
        )
        verdict = await self._judge.judge(attempt)
        if verdict.allowed:
            return None
        if not verdict.decided:
            return Refused(Refusal.UNAVAILABLE, verdict.reason)
        self._log.info(
            "publish denied", channel=channel.id, attempt=attempt.id, reason=verdict.reason
        )
        return Refused(Refusal.DENIED, verdict.reason)

    def _keep_pace(self, key: str) -> None:
        # By key, not by address: encoders that share a line do not spend each other's tries.
        now = self._clock.monotonic()
        wait = self._pace.wait(key, now)
        if wait:
            said = f"Too many broadcasts begun with this stream key; try again in {wait} s."
            raise RateLimited(said, wait)
        self._pace.count(key, now)


def _expired(key: StreamKey) -> str:
    at = rfc3339(key.expires_ms or 0)
    return f"This stream key expired on {at[:10]} at {at[11:16]} UTC; ask for a new one."
