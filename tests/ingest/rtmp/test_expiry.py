"""Until when a certificate is good, read from all that certificates may look like."""

from __future__ import annotations

import binascii
from datetime import UTC, datetime, timedelta

import pytest

from ingest.rtmp.expiry import SOON, aging, not_after
from tests.helpers.certificates import identity

UNTIL = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.mark.parametrize("year", [1999, 2031, 2049, 2050, 2120])
def test_the_end_is_read_however_it_is_written(year: int) -> None:
    until = UNTIL.replace(year=year)
    pem = identity(until=until).certificate.decode()
    assert not_after(pem) == until
    assert not_after(f"subject=who\n{pem}{identity().certificate.decode()}") == until


def test_nonsense_has_no_end() -> None:
    pem = identity(until=UNTIL).certificate.decode()
    der = binascii.a2b_base64("".join(pem.splitlines()[1:-1]))
    for size in range(0, len(der), 7):
        body = binascii.b2a_base64(der[:size]).decode()
        said = f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"
        assert not_after(said) is None
    for text in ("", "-----BEGIN CERTIFICATE-----", pem.replace("M", "!")):
        assert not_after(text) is None


def test_it_is_told_before_and_after() -> None:
    pem = identity(until=UNTIL).certificate.decode()
    second = timedelta(seconds=1)
    assert aging(pem, UNTIL - SOON - second) == ""
    assert aging(pem, UNTIL - SOON) == "expires on 2031-05-06 at 07:08 UTC; renew it"
    assert aging(pem, UNTIL - second).startswith("expires on 2031-05-06")
    assert aging(pem, UNTIL).startswith("expired on 2031-05-06 at 07:08 UTC")
    assert aging("nonsense", UNTIL) == ""
