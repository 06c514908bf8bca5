"""An S3-compatible server as a process of its own, on a free loopback port: moto's."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.error import URLError
from urllib.request import Request, urlopen

START_SECONDS = 40.0
BUCKET = "shows"


@dataclass
class S3Server:
    endpoint: str
    process: subprocess.Popen[bytes]

    def pause(self) -> None:
        """Have it take connections and answer nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def s3_server(port: int = 0) -> Iterator[S3Server]:
    """Run one with an empty bucket BUCKET."""
    port = port or free_port()
    endpoint = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _make_bucket(endpoint, process)
        yield S3Server(endpoint, process)
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait(10)


def _make_bucket(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, "moto's server ended: is it installed (make setup-test)?"
        try:
            with urlopen(Request(f"{endpoint}/{BUCKET}", method="PUT"), timeout=5):  # noqa: S310
                return
        except URLError:
            assert time.monotonic() < end, "moto's server did not start"
            time.sleep(0.05)
