"""Which certificates are taken, what is said of the others, and when new ones are."""

from __future__ import annotations

import os
import re
import ssl
from datetime import date, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.rtmp.certificate import Certificate, CertificateError, Half, load
from tests.helpers.certificates import Files, Identity, identity, placed

DAMAGED = b"-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n"
DAMAGED_KEY = b"-----BEGIN PRIVATE KEY-----\nbm8=\n-----END PRIVATE KEY-----\n"


@pytest.fixture(scope="module")
def one() -> Identity:
    return identity()


@pytest.fixture(scope="module")
def other() -> Identity:
    return identity()


def refused(certificate: Path, key: Path) -> tuple[Half, str]:
    with pytest.raises(CertificateError) as caught:
        load(certificate, key)
    return caught.value.half, caught.value.reason


def test_a_pair_of_files_or_one_file_with_both(tmp_path: Path, one: Identity) -> None:
    files = placed(tmp_path, one)
    context = load(files.certificate, files.key)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    both = tmp_path / "both.pem"
    both.write_bytes(one.key + one.certificate)
    load(both, both)


@pytest.mark.parametrize(
    ("certificate", "key", "half", "said"),
    [
        (None, "key", Half.CERTIFICATE, "certificate.pem cannot be read: No such file"),
        ("certificate", None, Half.KEY, "key.pem cannot be read: No such file"),
        (b"", "key", Half.CERTIFICATE, "certificate.pem holds no certificate in PEM form"),
        ("key", "key", Half.CERTIFICATE, "holds no certificate in PEM form"),
        ("certificate", "certificate", Half.KEY, "key.pem holds no key in PEM form"),
        (DAMAGED, "key", Half.CERTIFICATE, "certificate.pem is damaged"),
        ("certificate", DAMAGED_KEY, Half.KEY, "key.pem does not go with .* or is damaged"),
        ("certificate", "locked", Half.KEY, "key.pem is protected by a password; take it off"),
        ("certificate", "other", Half.KEY, "key.pem is not the key of .*certificate.pem"),
    ],
)
def test_what_is_wrong_is_said_of_the_file_that_is_wrong(
    tmp_path: Path,
    one: Identity,
    other: Identity,
    certificate: str | bytes | None,
    key: str | bytes | None,
    half: Half,
    said: str,
) -> None:
    known = {
        "certificate": one.certificate,
        "key": one.key,
        "locked": one.locked_key,
        "other": other.key,
    }
    files = Files(tmp_path / "certificate.pem", tmp_path / "key.pem")
    for path, content in ((files.certificate, certificate), (files.key, key)):
        if content is not None:
            path.write_bytes(known[content] if isinstance(content, str) else content)
    found, reason = refused(files.certificate, files.key)
    assert found is half
    assert re.search(said, reason), reason


def test_a_folder_is_no_certificate(tmp_path: Path, one: Identity) -> None:
    files = placed(tmp_path, one)
    assert refused(tmp_path, files.key) == (
        Half.CERTIFICATE,
        f"{tmp_path} cannot be read: Is a directory",
    )


def test_new_files_are_taken_once_they_have_settled(
    tmp_path: Path, one: Identity, other: Identity
) -> None:
    files = placed(tmp_path, one)
    certificate = Certificate(files.certificate, files.key)
    before = certificate.context
    certificate.look()
    files.write(other)
    certificate.look()
    assert certificate.context is before
    with capture_logs() as lines:
        certificate.look()
        certificate.look()
    assert certificate.context is not before
    assert [line["event"] for line in lines] == ["rtmps certificate loaded anew"]


def test_half_of_a_new_pair_is_not_looked_at(
    tmp_path: Path, one: Identity, other: Identity
) -> None:
    files = placed(tmp_path, one)
    certificate = Certificate(files.certificate, files.key)
    before = certificate.context
    with capture_logs() as lines:
        files.certificate.write_bytes(other.certificate)
        certificate.look()
        files.key.write_bytes(other.key)
        certificate.look()
        certificate.look()
    assert certificate.context is not before
    assert len(lines) == 1


def test_a_broken_certificate_keeps_the_old_one_and_is_told_once(
    tmp_path: Path, one: Identity, other: Identity
) -> None:
    files = placed(tmp_path, one)
    certificate = Certificate(files.certificate, files.key)
    before = certificate.context
    with capture_logs() as lines:
        files.certificate.write_bytes(DAMAGED)
        for _ in range(4):
            certificate.look()
        assert certificate.context is before
        files.certificate.unlink()
        for _ in range(4):
            certificate.look()
        files.write(other)
        for _ in range(2):
            certificate.look()
    assert certificate.context is not before
    assert [line["event"] for line in lines] == [
        "rtmps keeps its old certificate",
        "rtmps keeps its old certificate",
        "rtmps certificate loaded anew",
    ]
    assert all(str(files.certificate) in line["reason"] for line in lines[:2])


def test_a_file_that_is_written_in_place_at_the_same_size_is_seen(
    tmp_path: Path, one: Identity
) -> None:
    files = placed(tmp_path, one)
    certificate = Certificate(files.certificate, files.key)
    before = certificate.context
    os.utime(files.key, ns=(1, 1))
    certificate.look()
    certificate.look()
    assert certificate.context is not before


def test_one_that_ends_soon_is_warned_of_when_it_is_loaded(tmp_path: Path, one: Identity) -> None:
    files = placed(tmp_path, identity(good_for=timedelta(days=-1)))
    with capture_logs() as lines:
        certificate = Certificate(files.certificate, files.key)
    (line,) = lines
    assert line["log_level"] == "warning"
    assert "certificate.pem expired on " in line["reason"]
    files.write(identity(good_for=timedelta(days=13)))
    with capture_logs() as lines:
        certificate.look()
        certificate.look()
    assert "certificate.pem expires on " in lines[-1]["reason"]
    files.write(one)
    with capture_logs() as lines:
        certificate.look()
        certificate.look()
    assert [line["event"] for line in lines] == ["rtmps certificate loaded anew"]


def test_one_that_nobody_renews_is_warned_of_every_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = placed(tmp_path, identity(good_for=timedelta(days=3)))
    certificate = Certificate(files.certificate, files.key)
    days = iter((date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 2)))
    monkeypatch.setattr(Certificate, "_today", staticmethod(lambda: next(days)))
    with capture_logs() as lines:
        for _ in range(3):
            certificate.look()
    assert len(lines) == 2
