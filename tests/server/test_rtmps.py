"""RTMPS as those who run the server meet it: its configuration, its addresses."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.address import addresses
from server.cli import app
from server.config import ConfigError, load
from tests.helpers.certificates import Files, Identity, identity, placed
from tests.helpers.rtmp_publisher import RtmpPublisher
from tests.server.running import OPERATOR, running


@pytest.fixture(scope="module")
def made() -> Identity:
    return identity()


@pytest.fixture
def files(tmp_path: Path, made: Identity) -> Files:
    return placed(tmp_path, made)


def write(folder: Path, port: int = 1936, **lines: object) -> Path:
    file = folder / "c.yaml"
    keys = "".join(f"    {name}: {value}\n" for name, value in lines.items())
    file.write_text(f"ingest:\n  rtmps:\n    port: {port}\n{keys}")
    return file


def settings(files: Files, port: int) -> dict[str, object]:
    return {
        "ingest.rtmps.port": port,
        "ingest.rtmps.certificate": str(files.certificate),
        "ingest.rtmps.key": str(files.key),
    }


def problem(file: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(file)
    (line,) = caught.value.problems
    return line.removeprefix(f"{file.parent}/")


def test_it_is_off_without_a_certificate(tmp_path: Path) -> None:
    config = load(write(tmp_path))
    assert config.ingest.rtmps.files is None
    assert addresses(config).rtmps == ""


def test_both_files_switch_it_on(tmp_path: Path, files: Files) -> None:
    config = load(write(tmp_path, certificate=files.certificate, key=files.key))
    assert config.ingest.rtmps.files == (files.certificate, files.key)
    assert addresses(config).rtmps == "rtmps://localhost:1936/live"


def test_what_is_wrong_is_told_with_its_line_and_key(
    tmp_path: Path, files: Files, made: Identity
) -> None:
    assert re.fullmatch(
        r"c\.yaml:2: ingest\.rtmps\.key: is needed beside certificate, as a PEM file",
        problem(write(tmp_path, certificate=files.certificate)),
    )
    assert re.fullmatch(
        r"c\.yaml:4: ingest\.rtmps\.certificate: \S+none cannot be read: No such file or directory",
        problem(write(tmp_path, certificate=tmp_path / "none", key=files.key)),
    )
    taken = write(tmp_path, 1935, certificate=files.certificate, key=files.key)
    assert problem(taken).startswith("c.yaml:3: ingest.rtmps.port: must not be the same as")
    files.key.write_bytes(made.locked_key)
    locked = problem(write(tmp_path, certificate=files.certificate, key=files.key))
    assert re.match(r"c\.yaml:5: ingest\.rtmps\.key: \S+ is protected by a password", locked)
    files.key.write_bytes(identity().key)
    other = write(tmp_path, certificate=files.certificate, key=files.key)
    assert "is not the key of" in problem(other)
    for command in (["check", str(other)], ["serve", "--config", str(other)]):
        told = CliRunner().invoke(app, command)
        assert told.exit_code == 1
        assert told.stderr.strip() == f"vitrine: {tmp_path}/{problem(other)}"


def test_a_new_channel_is_told_the_address(
    tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = write(tmp_path, certificate=files.certificate, key=files.key)
    words = ["channel", "add", "tea", "--json", "--config", str(config)]
    told = CliRunner().invoke(app, [*words, "--data-dir", str(tmp_path / "data")])
    assert json.loads(told.stdout)["rtmps_url"] == "rtmps://localhost:1936/live"


async def test_a_server_listens_and_tells_where(
    tmp_path: Path, files: Files, made: Identity
) -> None:
    more = settings(files, 0)
    async with running(tmp_path / "data", more) as site:
        port = site.server.rtmp.secure_port
        assert port
        key = await site.channel("tea")
        url = f"rtmps://127.0.0.1:{port}/live"
        assert key["rtmps_url"] == url
        publisher = await RtmpPublisher.connect(port, trust=made.trust)
        status = await publisher.publish("wrong")
        assert status["code"] == "NetStream.Publish.BadName"
        publisher.abort()
        rotated = await site.ask("POST", "/api/v1/channels/tea/rotate-key")
        assert rotated.json()["rtmps_url"] == url
        read = await site.ask("GET", "/api/v1/channels/tea", token=OPERATOR)
        assert read.json()["rtmps_url"] == url
        public = await site.ask("GET", "/api/v1/channels/tea", token=None)
        assert "rtmps_url" not in public.json()


async def test_a_taken_port_is_told_with_its_key(tmp_path: Path, files: Files) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    more = settings(files, port)
    with pytest.raises(OSError, match=rf"ingest\.rtmps\.port: port {port} on .* is in use"):
        async with running(tmp_path / "data", more):
            pass
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(("days", "said"), [(-1, "expired on"), (10, "expires on"), (30, "")])
def test_check_warns_of_a_certificate_that_ends(tmp_path: Path, days: int, said: str) -> None:
    files = placed(tmp_path, identity(good_for=timedelta(days=days)))
    file = write(tmp_path, certificate=files.certificate, key=files.key)
    done = CliRunner().invoke(app, ["check", str(file)])
    assert done.exit_code == 0, "a warning, not an error"
    assert "The configuration is good." in done.stdout
    warned = f"vitrine: warning: ingest.rtmps.certificate: {files.certificate} {said}"
    assert done.stderr.startswith(warned) if said else done.stderr == ""


def test_both_files_that_are_wrong_are_told(tmp_path: Path) -> None:
    file = write(tmp_path, certificate=tmp_path / "none.pem", key='""')
    with pytest.raises(ConfigError) as caught:
        load(file)
    certificate, key = sorted(caught.value.problems)
    assert "ingest.rtmps.certificate: " in certificate
    assert "none.pem cannot be read: No such file" in certificate
    assert "ingest.rtmps.key: is needed beside certificate" in key
