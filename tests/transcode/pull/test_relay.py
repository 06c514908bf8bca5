"""The door on loopback: bytes both ways, and no redirect through it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.certificates import identity, placed
from transcode.errors import PullError
from transcode.pull.dial import Dialer, NotAllowed
from transcode.pull.place import parse
from transcode.pull.relay import CONNECTIONS, RedirectAlarm, Relay

REDIRECT = b"RTSP/1.0 302 Found\r\nCSeq: 2\r\nLocation: rtsp://10.0.0.1/\r\n\r\n"
FINE = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Length: 0\r\n\r\n"
OPEN = Dialer(allow_private=True, open_seconds=5, silence_seconds=5)


@pytest.mark.parametrize(
    "data",
    [
        REDIRECT,
        FINE + REDIRECT,
        b"$\x00\x00\x04abcd" + REDIRECT,
        b"RT\rSP/1.0 3\r01 x",
        b"RTSP/2.0\t \x0b301",
        b"RTSP/ +0301",
    ],
)
@given(cut=st.integers(0, 80))
def test_a_redirect_is_seen_however_it_is_written_and_cut(data: bytes, cut: int) -> None:
    alarm = RedirectAlarm()
    assert alarm.sees(data[:cut]) or alarm.sees(data[cut:])
    alarm = RedirectAlarm()
    assert any(alarm.sees(data[n : n + 1]) for n in range(len(data)))


@given(st.binary(max_size=300))
def test_what_is_no_redirect_passes(data: bytes) -> None:
    alarm = RedirectAlarm()
    assert not alarm.sees(FINE)
    assert not alarm.sees(b"RTSP/1.0 401 Unauthorized\r\n\r\n")
    if b"RTSP" not in data:
        assert not alarm.sees(data)


class Once:
    """A server for one connection: says its lines, keeps what it hears."""

    def __init__(self, says: bytes) -> None:
        self.heard = b""
        self._says = says
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        with connection, suppress(OSError):
            self.heard = connection.recv(100)
            connection.sendall(self._says)

    def close(self) -> None:
        self._thread.join(5)
        self._server.close()


def through(scheme: str, server: Once) -> tuple[bytes, PullError | None]:
    """Say hello through a relay; give what comes back, and what the relay said."""
    with Relay(OPEN, parse(f"{scheme}://127.0.0.1:{server.port}/live/x")) as relay:
        place = relay.place
        assert (place.host, place.path) == ("127.0.0.1", "/live/x")
        with socket.create_connection((place.host, place.port), 5) as client:
            client.sendall(b"hello")
            heard = b""
            while data := client.recv(100):
                heard += data
        server.close()
        return heard, relay.failure


def test_bytes_go_both_ways() -> None:
    server = Once(FINE)
    assert through("rtsp", server) == (FINE, None)
    assert server.heard == b"hello"


def test_a_redirect_does_not_come_through() -> None:
    heard, failure = through("rtsp", Once(REDIRECT))
    assert heard == b""
    assert isinstance(failure, NotAllowed)


def test_in_rtmp_the_same_bytes_are_media() -> None:
    assert through("rtmp", Once(REDIRECT)) == (REDIRECT, None)


def test_a_private_address_is_not_even_connected_to() -> None:
    closed = Dialer(allow_private=False, open_seconds=5, silence_seconds=5)
    for host in ("127.0.0.1", "[::1]", "localhost", "2130706433", "[::ffff:127.0.0.1]"):
        with pytest.raises(NotAllowed, match="allow_private"):
            Relay(closed, parse(f"rtsp://{host}:1/x"))


def test_a_closed_port_is_told_at_once() -> None:
    with pytest.raises(PullError, match="connection refused"):
        Relay(OPEN, parse("rtmp://127.0.0.1:1/live/x"))


@pytest.mark.parametrize("scheme", ["rtsps", "rtmps"])
async def test_a_source_behind_tls_may_speak_while_it_is_spoken_to(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = identity()
    files = placed(tmp_path, made)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    sources: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    server = await asyncio.start_server(
        lambda *source: sources.put_nowait(source), "127.0.0.1", 0, ssl=context
    )
    async with server:
        url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/live/x"
        relay = await asyncio.to_thread(Relay, OPEN, parse(url))
        with relay:
            for _ in range(CONNECTIONS):
                client = await asyncio.open_connection(relay.place.host, relay.place.port)
                source = await sources.get()
                heard = await asyncio.wait_for(asyncio.gather(spoken(*client), spoken(*source)), 20)
                assert set(heard) == {SAID * TIMES}
        assert relay.failure is None


SAID = b"a few words at a time"
TIMES = 500


async def spoken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Say it all, word by word, and hear as much meanwhile."""
    hearing = asyncio.ensure_future(reader.readexactly(len(SAID) * TIMES))
    try:
        for _ in range(TIMES):
            writer.write(SAID)
            await writer.drain()
            await asyncio.sleep(0)
        return await hearing
    except (asyncio.IncompleteReadError, OSError):
        return b"broken"
    finally:
        hearing.cancel()
        writer.close()
