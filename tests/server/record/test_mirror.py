"""Recordings in an S3-compatible store, over HTTP: brought there behind, read from either side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from server.record.errors import Missing, StorageDown
from server.record.library import Library
from server.record.mirror import Mirror
from server.record.mirrored_storage import MirroredStorage
from server.record.object_store import ObjectStorage, S3Settings, told
from server.record.retention import DAY_MS, Retention
from server.record.storage import JOURNAL, home
from tests.helpers.eventually import eventually
from tests.helpers.s3 import BUCKET, S3Server, free_port, s3_server
from tests.server.record.deck import CHANNEL, SESSION, Deck, deck

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


def bucket(s3: S3Server, prefix: str) -> ObjectStorage:
    return ObjectStorage(S3Settings(BUCKET, prefix, s3.endpoint, "us-east-1", "key", "secret"))


@asynccontextmanager
async def mirrored(here: Deck, remote: ObjectStorage) -> AsyncIterator[tuple[Mirror, Library]]:
    """Bring what `here` records to `remote`; read from both."""
    storage = MirroredStorage(here.storage, remote)
    mirror = Mirror(storage, here.store.recordings, here.clock, here.figures, DAY_MS)
    mirror.start()
    try:
        yield mirror, Library(here.store.recordings, storage)
    finally:
        await mirror.close()


async def test_the_store_keeps_reads_lists_and_removes(s3: S3Server) -> None:
    store = bucket(s3, "plain")
    await store.write("recordings/a/b/x.mp4", b"12345")
    await store.write("recordings/a/b/y/z.m4s", b"1")
    await store.write("recordings/a/bb/other", b"1")
    assert await store.read("recordings/a/b/x.mp4") == b"12345"
    items = await store.items("recordings/a/b")
    assert [(item.key, item.size) for item in items] == [
        ("recordings/a/b/x.mp4", 5),
        ("recordings/a/b/y/z.m4s", 1),
    ]
    assert await store.remove("recordings/a/b") == 6
    with pytest.raises(Missing):
        await store.read("recordings/a/b/x.mp4")
    assert await store.read("recordings/a/bb/other") == b"1"


async def test_nothing_is_brought_in_parts(s3: S3Server) -> None:
    await bucket(s3, "large").write("recordings/a/b/x.m4s", bytes(12 * 1024 * 1024))
    plain = S3Store(
        BUCKET,
        endpoint=s3.endpoint,
        access_key_id="key",
        secret_access_key="secret",
        client_options={"allow_http": True},
    )
    found = await obstore.head_async(plain, "large/recordings/a/b/x.m4s")
    assert "-" not in str(found["e_tag"])  # what was uploaded in parts has their number


async def test_a_store_that_is_not_there_is_down() -> None:
    store = ObjectStorage(
        S3Settings(BUCKET, "", f"http://127.0.0.1:{free_port()}", "us-east-1", "key", "secret")
    )
    with pytest.raises(StorageDown) as refused:
        await store.read("recordings/a")
    said = str(refused.value)
    assert said.startswith("The object store cannot do it: Connection refused (")
    assert "secret" not in said


def test_a_refusal_is_told_with_its_status_and_the_stores_own_word() -> None:
    said = (
        "The operation lacked the necessary privileges: Error performing PUT http://x/y in 3ms"
        " - Server returned non-2xx status code: 403 Forbidden: <Error><Code>AccessDenied</Code>"
    )
    assert told(said).startswith("403 Forbidden, AccessDenied (The operation lacked")
    assert told("something else\nmore") == "something else"
    assert told("") == "no answer in time"


async def test_a_recording_is_brought_there_and_played_from_there(
    tmp_path: Path, s3: S3Server
) -> None:
    remote = bucket(s3, "replay")
    async with deck(tmp_path) as here, mirrored(here, remote) as (mirror, library):
        show = await here.on_air(3)
        await here.end(show)
        mirror.compare_soon()
        await until_uploaded(here)
        local = {item.key: item.size for item in await here.storage.items(home(CHANNEL, SESSION))}
        there = {item.key: item.size for item in await remote.items(home(CHANNEL, SESSION))}
        assert local == there
        before = (await here.media("r1-2.m4s")).body
        here.clock.advance(DAY_MS + 60_000)
        mirror.compare_soon()
        await eventually(lambda: not (tmp_path / home(CHANNEL, SESSION)).exists(), 20)
        assert (await library.media(CHANNEL, SESSION, "720p", "r1-2.m4s")).body == before
        assert (await library.playlist(CHANNEL, SESSION, "720p")).body
        retention = Retention(library, here.clock, 60)
        await retention.remove(CHANNEL, SESSION, "operator", "test")
        assert await remote.items(home(CHANNEL, SESSION)) == ()


async def test_what_cannot_be_brought_stays_here_and_follows(tmp_path: Path) -> None:
    port = free_port()
    settings = S3Settings(BUCKET, "late", f"http://127.0.0.1:{port}", "us-east-1", "key", "secret")
    remote = ObjectStorage(settings)
    async with deck(tmp_path) as here, mirrored(here, remote) as (mirror, library):
        show = await here.on_air(2)
        await here.end(show)
        mirror.compare_soon()
        await eventually(lambda: bool(mirror.trouble), 60)
        assert (await library.playlist(CHANNEL, SESSION, "720p")).body  # served from here
        with ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, s3_server(port))
            await until_uploaded(here)
            assert await remote.read(f"{home(CHANNEL, SESSION)}/{JOURNAL}")
            await eventually(lambda: not mirror.trouble)
        assert here.figures.upload_failures


async def until_uploaded(here: Deck) -> None:
    async with asyncio.timeout(30):
        while True:
            entry = await here.store.recordings.get(CHANNEL, SESSION)
            assert entry is not None
            if entry.uploaded:
                return
            await asyncio.sleep(0.01)
