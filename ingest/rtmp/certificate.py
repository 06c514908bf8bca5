"""The certificate of the RTMPS port: loaded, judged, and loaded anew when its files change."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, NoReturn

import structlog

from ingest.errors import IngestError
from ingest.rtmp.expiry import aging

LOOK_SECONDS: Final = 2.0
"""Between two looks at the files; new ones are taken when two looks in turn saw the same."""

_MAX_BYTES: Final = 1 << 20
_Stamp = tuple[tuple[int, int, int] | None, ...]


class Half(StrEnum):
    """Which of the two files."""

    CERTIFICATE = "certificate"
    KEY = "key"


_MARKS: Final = {Half.CERTIFICATE: "-----BEGIN CERTIFICATE-----", Half.KEY: "PRIVATE KEY-----"}


class CertificateError(IngestError):
    """A certificate cannot be used. `reason` names the file and says what to do."""

    def __init__(self, half: Half, reason: str) -> None:
        super().__init__(reason)
        self.half = half
        self.reason = reason


class Certificate:
    """A certificate with its chain, and its key, both PEM; one file may hold all of it.

    Blocks while it loads. Raises CertificateError.
    """

    def __init__(self, certificate: Path, key: Path, look_seconds: float = LOOK_SECONDS) -> None:
        self._files = certificate, key
        self._look_seconds = look_seconds
        self._seen = self._tried = self._stamp()
        self._context = load(certificate, key)
        self._warned: date | None = None
        self._log = structlog.get_logger("ingest.rtmps")
        self._warn(self._today())

    @property
    def context(self) -> ssl.SSLContext:
        """What the next connection is to be secured with; those before keep their own."""
        return self._context

    async def watch(self) -> NoReturn:
        """Look at the files, until cancelled."""
        while True:
            await asyncio.sleep(self._look_seconds)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Load the files anew if they have changed, and have stayed so since the last look.

        Certificate and key are seldom replaced in the same instant. What cannot be used is
        logged once, and the old certificate stays. One that has expired, or will soon, is
        warned of when it is loaded and once a day. Blocks.
        """
        if self._warned != (today := self._today()):
            self._warn(today)
        stamp = self._stamp()
        settled, self._seen = stamp == self._seen, stamp
        if not settled or stamp == self._tried:
            return
        self._tried = stamp
        try:
            self._context = load(*self._files)
        except CertificateError as error:
            self._log.error("rtmps keeps its old certificate", reason=error.reason)
        else:
            self._log.info("rtmps certificate loaded anew", file=str(self._files[0]))
            self._warn(self._today())

    def _warn(self, today: date) -> None:
        self._warned = today
        said = warning(self._files[0])
        if said:
            self._log.warning("rtmps certificate is about to end, or has", reason=said)

    @staticmethod
    def _today() -> date:
        return datetime.now(UTC).date()

    def _stamp(self) -> _Stamp:
        return tuple(_stamp(path) for path in self._files)


def load(certificate: Path, key: Path) -> ssl.SSLContext:
    """Make a server's context, TLS 1.2 or later. Blocks. Raises CertificateError."""
    chain = _read(certificate, Half.CERTIFICATE)
    _read(key, Half.KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(certificate, key, password=_refuse_password)
    except _LockedError:
        reason = f"{key} is protected by a password; take it off: openssl pkey -in OLD -out NEW"
        raise CertificateError(Half.KEY, reason) from None
    except (ssl.SSLError, OSError) as error:
        raise _judged(error, certificate, chain, key) from error
    return context


def fault(path: Path, half: Half) -> str:
    """Say what is wrong with one of the files by itself; "" for nothing. Blocks."""
    try:
        _read(path, half)
    except CertificateError as error:
        return error.reason
    return ""


def warning(certificate: Path) -> str:
    """Say that a certificate has expired, or will soon; "" for neither. Blocks."""
    try:
        said = aging(_read(certificate, Half.CERTIFICATE), datetime.now(UTC))
    except CertificateError:
        return ""
    return f"{certificate} {said}" if said else ""


def _judged(error: OSError, certificate: Path, chain: str, key: Path) -> CertificateError:
    """Find out which of the two files is to blame; OpenSSL does not tell."""
    if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        return CertificateError(Half.KEY, f"{key} is not the key of {certificate}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=chain)
    except (ssl.SSLError, ValueError):
        return CertificateError(Half.CERTIFICATE, f"{certificate} is damaged: no certificate in it")
    said = getattr(error, "reason", None) or error.strerror
    return CertificateError(
        Half.KEY, f"{key} does not go with {certificate}, or is damaged: {said}"
    )


class _LockedError(Exception):
    """OpenSSL asks for the key's password, which nobody is there to type."""


def _refuse_password() -> str:
    raise _LockedError


def _read(path: Path, half: Half) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode("ascii", "replace")
    except OSError as error:
        raise CertificateError(half, f"{path} cannot be read: {error.strerror}") from error
    if _MARKS[half] not in text:
        raise CertificateError(half, f"{path} holds no {half} in PEM form ({_MARKS[half]})")
    return text


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
