"""Whom a request is believed to come from."""

from __future__ import annotations

import pytest
import structlog

from server.http.forwarded import MOST_HOPS, Proxies
from tests.server.running import running


@pytest.mark.parametrize(
    ("peer", "fields", "client"),
    [
        pytest.param("127.0.0.1", ["203.0.113.9"], "203.0.113.9", id="one-hop"),
        pytest.param("127.0.0.1", ["6.6.6.6, 203.0.113.9"], "203.0.113.9", id="spoofed-before"),
        pytest.param("127.0.0.1", ["203.0.113.9, 10.1.2.3"], "203.0.113.9", id="two-of-ours"),
        pytest.param("127.0.0.1", ["6.6.6.6", "203.0.113.9"], "203.0.113.9", id="two-fields"),
        pytest.param("127.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1", id="ipv6-with-port"),
        pytest.param("127.0.0.1", ["203.0.113.9:4711"], "203.0.113.9", id="ipv4-with-port"),
        pytest.param("::ffff:127.0.0.1", ["203.0.113.9"], "203.0.113.9", id="mapped"),
        pytest.param("127.0.0.1", ["203.0.113.9, unknown"], "127.0.0.1", id="nonsense"),
        pytest.param("127.0.0.1", [], "127.0.0.1", id="nothing-said"),
        pytest.param("127.0.0.1", ["10.0.0.9"], "10.0.0.9", id="all-ours"),
        pytest.param("198.51.100.1", ["203.0.113.9"], "198.51.100.1", id="not-ours"),
        pytest.param(
            "127.0.0.1", ["203.0.113.9" + ", 10.0.0.1" * MOST_HOPS], "10.0.0.1", id="too-many"
        ),
    ],
)
def test_the_nearest_address_that_is_not_ours(peer: str, fields: list[str], client: str) -> None:
    assert Proxies(["127.0.0.1", "10.0.0.0/8"]).client(peer, fields) == client


@pytest.mark.parametrize(("trusted", "peer"), [(["127.0.0.1"], "203.0.113.9"), ([], "127.0.0.1")])
async def test_only_a_trusted_proxy_speaks_for_others(
    tmp_path_factory: pytest.TempPathFactory, trusted: list[str], peer: str
) -> None:
    said = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    folder = tmp_path_factory.mktemp("data")
    async with running(folder, {"server.trusted_proxies": trusted}) as client:
        await client.channel()
        with structlog.testing.capture_logs() as logged:
            page = await client.ask("GET", "/watch/tea", headers=said, token=None)
        assert [line["peer"] for line in logged if line["event"] == "request"] == [peer]
        assert ("Secure" in page.headers["Set-Cookie"]) is (peer != "127.0.0.1")
