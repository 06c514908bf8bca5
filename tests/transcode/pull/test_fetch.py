"""HTTP as a file: every address is judged, wherever it comes from; parts are asked for."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.helpers.web_files import WebFiles, offering
from transcode.errors import PullError
from transcode.pull.dial import Dialer, NotAllowed
from transcode.pull.fetch import MISSES, NEAR, Fetched, Nested
from transcode.pull.place import Place, parse

CONTENT = bytes(range(256)) * 4096
OPEN_NAME = "open.example"


class PublicDialer(Dialer):
    """Takes one name for a server of the open internet; judges all else as ever."""

    def _addresses(self, place: Place) -> list[str]:
        if place.host == OPEN_NAME:
            return ["127.0.0.1"]
        return super()._addresses(place)


STRICT = PublicDialer(allow_private=False, open_seconds=5, silence_seconds=5)
LOOSE = Dialer(allow_private=True, open_seconds=5, silence_seconds=5)


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebFiles]:
    (tmp_path / "file").write_bytes(CONTENT)
    async with offering(WebFiles(tmp_path)) as files:
        yield files


def public(web: WebFiles, path: str) -> Place:
    return parse(f"http://{OPEN_NAME}:{web.port}{path}")


async def test_it_is_read_and_sought_like_a_file(web: WebFiles) -> None:
    def use() -> None:
        file = Fetched(STRICT, public(web, "/file"))
        assert (file.size, file.seekable()) == (len(CONTENT), True)
        plain = io.BytesIO(CONTENT)
        moves = ((10, 0), (NEAR + 100, 0), (-5, 2), (3, 0), (7, 1), (0, 2), (-NEAR, 2), (0, 0))
        for offset, whence in moves:
            assert file.seek(offset, whence) == plain.seek(offset, whence)
            wanted = plain.read(1000)
            data = b""
            while len(data) < len(wanted):
                data += file.read(len(wanted) - len(data))
            assert data == wanted
            assert file.tell() == plain.tell()
        file.seek(0, 2)
        assert file.read(10) == b""
        for offset in (-1, len(CONTENT) + 1):
            with pytest.raises(OSError, match="nothing there"):
                file.seek(offset)
        file.close()

    await asyncio.to_thread(use)


@pytest.mark.parametrize(
    "to",
    ["http://127.0.0.1:{port}/file", "http://localhost:{port}/file", "//[::1]:{port}/file"],
)
async def test_a_redirect_into_a_private_network_is_not_followed(web: WebFiles, to: str) -> None:
    target = to.format(port=web.port)
    with pytest.raises(NotAllowed, match="allow_private"):
        await asyncio.to_thread(Fetched, STRICT, public(web, f"/moved?to={target}"))
    assert [path for path, _ in web.asked] == ["/moved"]
    found = await asyncio.to_thread(Fetched, STRICT, public(web, "/moved?to=/file"))
    assert found.place.path == "/file"
    found.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:{port}/file", "allow_private"),
        ("file:///etc/passwd", "not http or https"),
        ("tcp://127.0.0.1:{port}", "not http or https"),
        ("concat:http://a.example/", "not http or https"),
        ("crypto+http://a.example/", "encrypted"),
        ("http://a.example\\@127.0.0.1/", "allow_private"),
    ],
)
async def test_a_playlist_leads_nowhere_else_either(web: WebFiles, url: str, said: str) -> None:
    nested = Nested(STRICT)
    with pytest.raises(PullError, match=said):
        await asyncio.to_thread(nested, url.format(port=web.port), 1, {})
    assert web.asked == []


async def test_segments_that_are_missing_are_left_out_for_a_while(web: WebFiles) -> None:
    def use() -> None:
        nested = Nested(STRICT)
        missing, there = (public(web, path).url for path in ("/none", "/file"))
        for _ in range(2):
            for _ in range(MISSES):
                assert nested(missing, 1, {}).read(10) == b""
            found = nested(there, 1, {})
            assert found.read(4) == CONTENT[:4]
            found.close()
        for _ in range(MISSES):
            nested(missing, 1, {})
        with pytest.raises(PullError, match="404"):
            nested(missing, 1, {})

    await asyncio.to_thread(use)


async def test_a_connection_that_breaks_is_no_end() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    def use(port: int) -> None:
        file = Fetched(LOOSE, parse(f"http://127.0.0.1:{port}/"))
        assert not file.seekable()
        assert file.read(100) == b"half"
        with pytest.raises(PullError, match="lost"):
            file.read(100)
        file.close()

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    async with server:
        await asyncio.to_thread(use, server.sockets[0].getsockname()[1])


async def test_what_is_not_http_is_told() -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail\r\n" * 10)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    async with server:
        place = parse(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        with pytest.raises(PullError, match="does not speak HTTP"):
            await asyncio.to_thread(Fetched, LOOSE, place)


def identity(file: Path, name: str) -> None:
    """Write a self-signed certificate of `name` and its key into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + made.public_bytes(Encoding.PEM))


async def test_a_certificate_must_be_trusted_and_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = tmp_path / "identity.pem"
    await asyncio.to_thread(identity, pem, "localhost")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    await asyncio.to_thread(context.load_cert_chain, pem)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with server:
        place = parse(f"https://localhost:{port}/")
        with pytest.raises(PullError, match="certificate is not trusted"):
            await asyncio.to_thread(Fetched, LOOSE, place)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        file = await asyncio.to_thread(Fetched, LOOSE, place)
        assert await asyncio.to_thread(file.read, 10) == b"good"
        file.close()
        with pytest.raises(PullError, match="certificate is not trusted"):
            await asyncio.to_thread(Fetched, LOOSE, place.at("https", "127.0.0.1", port))
        with pytest.raises(PullError, match=r"HTTP|lost|reset|TLS"):
            await asyncio.to_thread(Fetched, LOOSE, place.at("http", "127.0.0.1", port))
