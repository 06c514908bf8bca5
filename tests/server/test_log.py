"""What the log looks like."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from server import log


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, structlog.get_config())
    yield
    root.handlers[:], root.level = before[0], before[1]
    structlog.reset_defaults()
    structlog.configure(**before[2])


def test_a_strangers_bytes_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", "console")
    structlog.get_logger("access").info("request", path="/\x1b[31mred\n\x9bforged")
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "\x1b" not in told
    assert "\x9b" not in told
    assert r"/\x1b[31mred\x0a\x9bforged" in told


def test_machines_get_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("warning", "json")
    structlog.get_logger("live").info("not told")
    structlog.get_logger("live").warning("told", title="茶\n")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["title"] == "茶\n"
    assert "茶" in line


def test_a_librarys_traceback_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", "json")
    try:
        raise ValueError("bad\nbytes")
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request\nfrom somebody")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "Error handling request"


@pytest.mark.parametrize("style", ["console", "json"])
def test_a_traceback_tells_no_secret_of_its_frames(
    style: log.Format, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure("info", style)

    def fail(stream_key: str) -> None:
        _ = stream_key
        raise OSError("it broke")

    try:
        fail("-".join(["a", "secret", "key"]))
    except OSError:
        structlog.get_logger("live").exception("failed")
    told = capsys.readouterr().err
    assert "it broke" in told
    assert "Traceback" in told
    assert "a-secret-key" not in told
