"""The linter's requests over HTTP/2: many on one connection, and how servers end them."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.lint.client import Client, Trust
from server.lint.fetch import Fetcher, LintError
from tests.helpers.eventually import eventually
from tests.server.lint.http2_server import Script, Server, Visit, answering

MOST_BYTES = 1_000_000


@asynccontextmanager
async def fetching(
    folder: Path, script: Script, *, most_streams: int = 100, protocol: str = "h2"
) -> AsyncIterator[tuple[Server, Fetcher]]:
    serving = answering(folder, script, most_streams=most_streams, protocol=protocol)
    async with serving as server:
        async with Client(Trust(ca=server.certificate), MOST_BYTES) as client:
            yield server, Fetcher(client, time.monotonic)


def plain(visit: Visit, stream: int, path: str) -> None:
    """Answer with the path, but hold what is called so."""
    if "held" not in path:
        visit.answer(stream, path.encode())


async def test_a_held_request_holds_up_no_other_on_its_connection(tmp_path: Path) -> None:
    async with fetching(tmp_path, plain) as (server, fetcher):
        held = asyncio.create_task(fetcher.get(f"{server.url}/held"))
        await eventually(lambda: server.was_asked(1))
        others = [fetcher.get(f"{server.url}/{name}", {"n": name}) for name in "ab"]
        assert [reply.text for reply in await asyncio.gather(*others)] == ["/a?n=a", "/b?n=b"]
        assert not held.done()
        server.visits[0].answer(server.visits[0].asked[0][0], b"late")
        assert (await held).text == "late"
        assert len(server.visits) == 1
        assert set(fetcher.protocols.values()) == {"HTTP/2"}


async def test_who_says_goodbye_still_answers_what_it_has_taken(tmp_path: Path) -> None:
    def script(visit: Visit, stream: int, path: str) -> None:
        if path == "/end" and len(visit.asked) == 2:
            visit.go_away(visit.asked[0][0])
            visit.answer(visit.asked[0][0], b"taken")
        elif path == "/other":
            visit.answer(stream, b"new")

    async with fetching(tmp_path, script) as (server, fetcher):
        held = asyncio.create_task(fetcher.get(f"{server.url}/held"))
        await eventually(lambda: server.was_asked(1))
        asked = asyncio.create_task(fetcher.get(f"{server.url}/end"))
        assert (await held).text == "taken"
        # It was not taken, and is asked for anew.
        await eventually(lambda: server.was_asked(2))
        server.visits[1].answer(server.visits[1].asked[0][0], b"again")
        assert (await asked).text == "again"
        assert (await fetcher.get(f"{server.url}/other")).text == "new"
        assert len(server.visits) == 2


async def test_a_request_that_is_given_up_is_taken_back(tmp_path: Path) -> None:
    async with fetching(tmp_path, plain) as (server, fetcher):
        held = asyncio.create_task(fetcher.get(f"{server.url}/held"))
        await eventually(lambda: server.was_asked(1))
        held.cancel()
        await eventually(lambda: server.visits[0].reset == [1])
        assert (await fetcher.get(f"{server.url}/a")).text == "/a"


async def test_no_more_is_asked_at_once_than_the_server_allows(tmp_path: Path) -> None:
    async with fetching(tmp_path, plain, most_streams=2) as (server, fetcher):
        await fetcher.get(f"{server.url}/first")
        visit = server.visits[0]
        asking = [asyncio.create_task(fetcher.get(f"{server.url}/held{n}")) for n in range(4)]
        await eventually(lambda: len(visit.asked) == 3)
        for stream, path in visit.asked[1:3]:
            visit.answer(stream, path.encode())
        await eventually(lambda: len(visit.asked) == 5)
        for stream, path in visit.asked[3:5]:
            visit.answer(stream, path.encode())
        replies = await asyncio.gather(*asking)
        assert [reply.text for reply in replies] == [f"/held{n}" for n in range(4)]


def reset(visit: Visit, stream: int, _path: str) -> None:
    visit.h2.reset_stream(stream)
    visit.send()


def give_up(visit: Visit, stream: int, _path: str) -> None:
    visit.go_away(stream, 2)


def hang_up(visit: Visit, _stream: int, _path: str) -> None:
    visit.writer.transport.abort()


def break_the_protocol(visit: Visit, stream: int, _path: str) -> None:
    visit.h2.config.validate_outbound_headers = False
    visit.h2.config.normalize_outbound_headers = False
    visit.answer(stream, b"", ("connection", "keep-alive"))


def answer_in_words(visit: Visit, stream: int, _path: str) -> None:
    visit.h2.send_headers(stream, [(":status", "fine")], end_stream=True)
    visit.send()


def send_too_much(visit: Visit, stream: int, _path: str) -> None:
    visit.h2.send_headers(stream, [(":status", "200")])
    for _ in range(1 + MOST_BYTES // 16_384):
        visit.h2.send_data(stream, bytes(16_384))
    visit.send()


def always_go_away(visit: Visit, _stream: int, _path: str) -> None:
    visit.go_away(0)


def unwhole_gzip(visit: Visit, stream: int, _path: str) -> None:
    visit.answer(stream, gzip.compress(b"much")[:-4], ("content-encoding", "gzip"))


def lead_on(visit: Visit, stream: int, path: str) -> None:
    visit.answer(stream, b"", ("location", path + "x"), status=302)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (reset, "StreamReset"),
        (give_up, "gave up, error 2"),
        (hang_up, "closed the connection|reset|aborted"),
        (break_the_protocol, "Connection"),
        (answer_in_words, "invalid literal"),
        (send_too_much, "more than"),
        (always_go_away, "closes every connection"),
        (unwhole_gzip, "gzip does not end"),
        (lead_on, "leads on and on"),
    ],
)
async def test_no_whole_answer_is_an_error_of_one_line(
    tmp_path: Path, script: Script, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with fetching(tmp_path, script) as (server, fetcher):
        with pytest.raises(LintError, match=said) as error:
            await fetcher.get(f"{server.url}/")
        assert "\n" not in str(error.value)
    assert caplog.messages == []


async def test_gzip_is_undone_and_a_redirection_followed(tmp_path: Path) -> None:
    def script(visit: Visit, stream: int, path: str) -> None:
        if path == "/from":
            visit.answer(stream, b"", ("location", "to?x=1"), status=302)
        else:
            coded = gzip.compress(path.encode())
            visit.answer(stream, coded, ("content-encoding", "gzip"), ("vary", "a"), ("vary", "b"))

    async with fetching(tmp_path, script) as (server, fetcher):
        reply = await fetcher.get(f"{server.url}/from")
        assert (reply.text, reply.url) == ("/to?x=1", f"{server.url}/to?x=1")
        assert reply.header("Vary") == "a, b"


async def test_a_server_without_http2_is_asked_by_http1(tmp_path: Path) -> None:
    async with fetching(tmp_path, plain, protocol="http/1.1") as (server, fetcher):
        assert (await fetcher.get(f"{server.url}/")).text == "old"
        assert set(fetcher.protocols.values()) == {"HTTP/1.1"}


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    async with answering(tmp_path, plain) as server:
        async with Client(Trust(), MOST_BYTES) as client:
            with pytest.raises(LintError, match="certificate"):
                await Fetcher(client, time.monotonic).get(f"{server.url}/")
        async with Client(Trust(insecure=True), MOST_BYTES) as client:
            reply = await Fetcher(client, time.monotonic).get(f"{server.url}/")
            assert reply.text == "/"
