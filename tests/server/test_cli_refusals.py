"""What `serve` and `check` say, and that they end, when they cannot do what they were told."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server import log
from server.cli import app
from tests.helpers.certificates import identity, placed

LOOPBACK = "127.0.0.1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("VITRINE_")]:
        monkeypatch.delenv(name)
    # The process's log must outlive the runner's standard error.
    monkeypatch.setattr(log, "configure", lambda *_: None)
    return tmp_path


def serve(folder: Path, **options: object) -> Result:
    given = {"data_dir": folder / "data", "host": LOOPBACK, "http_port": 0, "rtmp_port": 0}
    words = (
        word
        for name, value in {**given, **options}.items()
        for word in (f"--{name.replace('_', '-')}", str(value))
    )
    return CliRunner().invoke(app, ["serve", *words])


def refused(done: Result) -> str:
    assert done.exit_code == 1, done.output
    (line,) = [each for each in done.stderr.splitlines() if each.startswith("vitrine: ")]
    assert "ready" not in done.output
    return line


def test_an_encoder_that_does_not_open(folder: Path) -> None:
    file = folder / "zoom.yaml"
    file.write_text("transcode: {profiles: {default: {preset: zoom}}}\n")
    told = refused(serve(folder, config=file))
    assert told.startswith("vitrine: transcode.profiles.default: 720p, 480p, 360p: libx264 refused")
    assert not (folder / "data").exists()
    assert refused(CliRunner().invoke(app, ["check", str(file)])) == told


@pytest.mark.parametrize("key", ["http_port", "rtmp_port"])
def test_a_port_in_use(folder: Path, key: str) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        told = refused(serve(folder, **{key: port}))
    option = "--" + key.replace("_", "-")
    assert f"server.{key} ({option}): port {port} on {LOOPBACK} is in use" in told


def test_a_host_that_is_not_there(folder: Path) -> None:
    assert "'no.such.invalid' cannot be resolved" in refused(serve(folder, host="no.such.invalid"))
    assert "192.0.2.1 is not an address of this machine" in refused(serve(folder, host="192.0.2.1"))


def test_a_data_directory_that_is_a_file(folder: Path) -> None:
    file = folder / "file"
    file.touch()
    assert "--data-dir) is a file" in refused(serve(folder, data_dir=file))
    assert "--data-dir) is a file" in refused(serve(folder, data_dir=file / "below"))


def test_all_ports_in_use_are_told_at_once(folder: Path) -> None:
    made = placed(folder, identity())
    with (
        socket.create_server((LOOPBACK, 0)) as one,
        socket.create_server((LOOPBACK, 0)) as two,
        socket.create_server((LOOPBACK, 0)) as three,
    ):
        http, rtmp, rtmps = (each.getsockname()[1] for each in (one, two, three))
        file = folder / "c.yaml"
        file.write_text(
            f"ingest: {{rtmps: {{port: {rtmps}, certificate: '{made.certificate}',"
            f" key: '{made.key}'}}}}\n"
        )
        done = serve(folder, config=file, http_port=http, rtmp_port=rtmp)
    assert done.exit_code == 1
    told = [line for line in done.stderr.splitlines() if line.startswith("vitrine: ")]
    assert [line.split(": port ")[0] for line in told] == [
        "vitrine: server.http_port (--http-port)",
        "vitrine: server.rtmp_port (--rtmp-port)",
        "vitrine: ingest.rtmps.port",
    ]
    for line, port in zip(told, (http, rtmp, rtmps), strict=True):
        assert f": port {port} on {LOOPBACK} is in use by another program" in line


@pytest.mark.parametrize("command", ["serve", "list"])
def test_a_database_that_is_none_is_named(folder: Path, command: str) -> None:
    data = folder / "data"
    data.mkdir()
    (data / "vitrine.db").write_bytes(b"no database " * 1_000)
    words = ["channel", "list", "--data-dir", str(data)]
    told = refused(serve(folder) if command == "serve" else CliRunner().invoke(app, words))
    assert f"{data}/vitrine.db: file is not a database; move it away and put a backup" in told


@pytest.mark.parametrize("given", ["x", "1.5", ""])
def test_a_port_that_is_no_number(folder: Path, given: str) -> None:
    for key in ("http_port", "rtmp_port"):
        told = refused(serve(folder, **{key: given}))
        assert told.endswith(f"server.{key}: must be a whole number from 0 to 65535")
