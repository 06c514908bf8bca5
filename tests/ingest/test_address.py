from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.address import is_address, subscriber


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_who_stands_behind_an_address(address: str, who: str) -> None:
    assert subscriber(address) == who


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_the_lower_half_of_an_ipv6_address_is_free(
    address: ipaddress.IPv6Address, lower: int
) -> None:
    other = ipaddress.IPv6Address(int(address) >> 64 << 64 | lower)
    if address.ipv4_mapped is None and other.ipv4_mapped is None:
        assert subscriber(str(address)) == subscriber(str(other))


@given(st.text())
def test_any_text_has_a_name(text: str) -> None:
    assert isinstance(subscriber(text), str)


def test_names_are_no_addresses() -> None:
    assert all(map(is_address, ("192.0.2.1", "2001:db8::1", "fe80::1%eth0")))
    assert not any(map(is_address, ("localhost", "1f2e.local", "192.0.2", "")))
