"""What `serve` and `check` say, and that they end, when they cannot do what they were told."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server import log
from server.cli import app

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
