"""Which addresses a channel may be given, and how they are shown."""

from __future__ import annotations

import pytest

from server.source import Source, with_secrets, wrong_with

YARD = Source("rtsp://ann:s3cret@camera.example/1")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.mp4",
        "http://localhost:8080/a.mp4",
        "rtsp://192.168.1.7/stream",
        "rtsp://ann:s3cret@[::1]/stream",
        "rtmp://2130706433/live/x",
        "http://0x7f.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "https://metadata.google.internal/",
    ],
)
def test_what_is_private_by_its_looks_needs_leave(url: str) -> None:
    wrong = wrong_with(url, allow_private=False)
    assert wrong is not None
    assert "allow_private" in wrong
    assert "s3cret" not in wrong
    assert wrong_with(url, allow_private=True) is None


@pytest.mark.parametrize("url", ["file:///etc/passwd", "srt://a.example", "rtsp://", "http://a b"])
def test_what_is_no_source_is_none_with_leave_either(url: str) -> None:
    assert wrong_with(url, allow_private=True) is not None


def test_a_name_is_judged_when_it_is_looked_up() -> None:
    assert wrong_with("rtsp://camera.example/1", allow_private=False) is None


def test_secrets_are_in_no_representation() -> None:
    assert "s3cret" not in repr(YARD)
    assert YARD.masked == "rtsp://ann:***@camera.example/1"


def test_what_was_read_masked_may_be_sent_back() -> None:
    assert with_secrets(YARD.masked, YARD) == YARD.url
    other = "rtsp://ann:***@evil.example/1"
    assert with_secrets(other, YARD) == other
    assert with_secrets(YARD.masked, None) == YARD.masked
    assert with_secrets("http://a.example/", YARD) == "http://a.example/"
