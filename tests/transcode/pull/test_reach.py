"""No way of writing an address leads to a network that is not open."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.pull.reach import is_local_name, is_open, literal

CLOSED = {
    "loopback": "127.0.0.1",
    "all of loopback": "127.255.0.3",
    "any": "0.0.0.0",  # noqa: S104 - as data
    "this network": "0.1.2.3",
    "private 10": "10.0.0.1",
    "private 172": "172.31.255.255",
    "private 192": "192.168.1.1",
    "shared": "100.64.0.1",
    "metadata": "169.254.169.254",
    "metadata, Alibaba": "100.100.100.200",
    "metadata, Oracle": "192.0.0.192",
    "metadata, Azure": "168.63.129.16",
    "relays": "192.88.99.1",
    "documentation": "203.0.113.9",
    "benchmarks": "198.18.0.1",
    "multicast": "239.1.1.1",
    "multicast, global": "224.0.1.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "v6 loopback": "::1",
    "v6 any": "::",
    "v6 link-local": "fe80::1",
    "v6 link-local with zone": "fe80::1%eth0",
    "v6 site-local": "fec0::1",
    "v6 unique local": "fd00:ec2::254",
    "v6 multicast": "ff02::1",
    "v6 multicast, global": "ff0e::1",
    "v6 documentation": "2001:db8::1",
    "v4-mapped": "::ffff:127.0.0.1",
    "v4-mapped, private": "::ffff:10.0.0.1",
    "v4-compatible": "::127.0.0.1",
    "NAT64 of private": "64:ff9b::10.0.0.1",
    "NAT64 of metadata": "64:ff9b::a9fe:a9fe",
    "NAT64, local use": "64:ff9b:1::1",
    "6to4 of private": "2002:0a00:0001::1",
    "Teredo": "2001:0:1:2:3:4:f5ff:fffe",
    "discard": "100::1",
    "unassigned": "4000::1",
}


@pytest.mark.parametrize("address", CLOSED.values(), ids=CLOSED.keys())
def test_addresses_that_are_not_of_the_open_internet(address: str) -> None:
    assert not is_open(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"],
)
def test_addresses_of_the_open_internet(address: str) -> None:
    assert is_open(address)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("127.0.1", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0x7f.0.0.0x1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0", "0.0.0.0"),  # noqa: S104
        ("10.1", "10.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("[::1]", "::1"),
        ("[::ffff:127.0.0.1]", "::ffff:7f00:1"),
        ("4294967296", None),
        ("256.1.1.1", None),
        ("1.2.3.4.5", None),
        ("camera.example", None),
        ("0x", "0.0.0.0"),  # noqa: S104
        ("08.0.0.1", None),
        ("", None),
        ("1..2", None),
    ],
)
def test_numbers_are_read_as_resolvers_read_them(host: str, address: str | None) -> None:
    found = literal(host)
    assert (found and str(IPv6Address(found) if ":" in found else found)) == (
        address and str(IPv6Address(address) if ":" in address else address)
    )


@given(st.integers(0, 2**32 - 1))
def test_every_form_of_an_address_is_the_same_address(number: int) -> None:
    plain = str(IPv4Address(number))
    a, b, c, d = plain.split(".")
    forms = [
        str(number), hex(number), f"0{number:o}", f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{number & 0xFFFF}", f"{int(a):#x}.{int(b):#x}.{int(c):#x}.{int(d):#x}",
    ]  # fmt: skip
    assert {literal(form) for form in forms} == {plain}
    mapped = (f"::ffff:{plain}", f"64:ff9b::{plain}")
    assert {is_open(wrapped) for wrapped in mapped} == {is_open(plain)}


@given(st.text(max_size=30))
def test_no_host_breaks_it(host: str) -> None:
    found = literal(host)
    if found is not None:
        is_open(found)


@pytest.mark.parametrize(
    ("name", "local"),
    [
        ("localhost", True), ("LOCALHOST.", True), ("a.localhost", True), ("nas.local", True),
        ("metadata.google.internal", True), ("router.home.arpa", True),
        ("localhost.example", False), ("camera.example", False),
    ],
)  # fmt: skip
def test_names_that_say_themselves_that_they_are_local(name: str, local: bool) -> None:
    assert is_local_name(name) is local
