"""Recordings in any S3-compatible store, by obstore. Its errors and its keys stay in here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from server.record.errors import Missing, StorageDown
from server.record.storage import Item

if TYPE_CHECKING:
    from obstore.store import S3Config

DEADLINE_SECONDS = 60.0
TRIES = 3
"""Of the library itself, within a call; `server.record.mirror` has patience beyond."""
REMOVED_AT_ONCE = 1_000
"""Keys in one DeleteObjects."""
MOST_TOLD = 200
_CAUSES = (
    re.compile(r"Os \{.*?message: \"(?P<said>[^\"]+)\"", re.DOTALL),
    re.compile(r"failed to lookup address information: (?P<said>[^\"\n]+)"),
    re.compile(r"\bstatus(?: code)?:? (?P<said>\d{3} [A-Za-z ]+)"),
    re.compile(r"(?P<said>operation timed out)"),
)
"""Where the library's long texts tell what lies at the bottom, the surest first."""
_CODE = re.compile(r"<Code>(?P<said>\w+)</Code>")
"""S3's own word for it."""


@dataclass(frozen=True, slots=True)
class S3Settings:
    bucket: str
    prefix: str = ""
    endpoint: str = ""
    """Empty: Amazon's own."""
    region: str = "us-east-1"
    access_key_id: str = ""
    """Both keys empty: as the environment or the machine's role has it."""
    secret_access_key: str = ""


class ObjectStorage:
    """The Storage of one bucket."""

    def __init__(self, settings: S3Settings) -> None:
        """Bind to the bucket; nothing is asked of it yet. Raises ValueError."""
        try:
            self._store = S3Store(
                settings.bucket,
                prefix=settings.prefix or None,
                client_options={
                    "allow_http": settings.endpoint.startswith("http://"),
                    "connect_timeout": timedelta(seconds=5),
                    "timeout": timedelta(seconds=30),
                },
                retry_config={"max_retries": TRIES, "retry_timeout": timedelta(seconds=30)},
                config=_keys(settings),
            )
        except BaseError as error:
            raise ValueError(f"recording.s3: {error}") from error

    async def read(self, key: str) -> bytes:
        async with _asking(key):
            found = await obstore.get_async(self._store, key)
            return bytes(await found.bytes_async())

    async def write(self, key: str, data: bytes) -> None:
        async with _asking(key):
            # In one piece: a multipart upload that is broken off leaves its parts in the bucket.
            await obstore.put_async(self._store, key, data, use_multipart=False)

    async def items(self, prefix: str) -> tuple[Item, ...]:
        items: list[Item] = []
        async with _asking(prefix):
            async for some in obstore.list(self._store, prefix, chunk_size=1_000):
                items += [Item(each["path"], each["size"]) for each in some]
        return tuple(sorted(items, key=lambda item: item.key))

    async def remove(self, prefix: str) -> int:
        items = await self.items(prefix)
        for start in range(0, len(items), REMOVED_AT_ONCE):
            some = [item.key for item in items[start : start + REMOVED_AT_ONCE]]
            async with _asking(prefix):
                await obstore.delete_async(self._store, some)
        return sum(item.size for item in items)

    async def close(self) -> None:
        """Nothing is kept open that would have to be closed."""


def _keys(settings: S3Settings) -> S3Config:
    keys: S3Config = {"region": settings.region}
    if settings.endpoint:
        keys["endpoint"] = settings.endpoint
    if settings.access_key_id:
        keys["access_key_id"] = settings.access_key_id
        keys["secret_access_key"] = settings.secret_access_key
    return keys


@asynccontextmanager
async def _asking(key: str) -> AsyncIterator[None]:
    """Give a call its deadline, and its errors our names."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            yield
    except (NotFoundError, FileNotFoundError) as error:
        raise Missing(f"There is no {key}.") from error
    except (BaseError, OSError, TimeoutError) as error:
        raise StorageDown(f"The object store cannot do it: {told(str(error))}") from error


def told(said: str) -> str:
    """Tell an error of the library in one line: the cause first, then what was tried."""
    lines = said.strip().splitlines() or ["no answer in time"]
    tried = lines[0][:MOST_TOLD].rstrip(" .")
    found = next((match["said"] for each in _CAUSES if (match := each.search(said))), "")
    code = match["said"] if (match := _CODE.search(said)) else ""
    cause = ", ".join(each.strip() for each in (found, code) if each)
    return f"{cause} ({tried})" if cause else tried
