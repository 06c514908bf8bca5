from __future__ import annotations

import pytest

from server.host_name import is_host

HOSTS = ("0.0.0.0", "::", "::1", "fe80::1%eth0", "localhost", "a.example.com.", "my_box", "x" * 63)  # noqa: S104
NONE = ("", " ", "a b", "300.1.1.1", "1.2.3", "-a", "a-", "a..b", "http://a", "a:80", "x" * 64)


@pytest.mark.parametrize("text", HOSTS)
def test_what_may_be_a_host(text: str) -> None:
    assert is_host(text)


@pytest.mark.parametrize("text", [*NONE, "a." * 127, "a\n"])
def test_what_is_none(text: str) -> None:
    assert not is_host(text)
