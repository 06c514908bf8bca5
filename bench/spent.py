"""What a process cost: CPU time of it and of all its children, as the kernel counted it.

Standard library only.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.report import BenchError


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds."""

    cpu: float
    """User and system."""
    wall: float


class Meter:
    """Meters a child from its start until it is gone; kills it at a deadline."""

    def __init__(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        self._process = process
        self._began = time.monotonic()
        self._alarm = threading.Timer(deadline, process.kill)
        self._alarm.daemon = True
        self._alarm.start()

    def wait(self) -> Spent:
        """Wait for the child's end. Raises BenchError when it failed or was killed."""
        _, status, usage = os.wait4(self._process.pid, 0)
        wall = time.monotonic() - self._began
        self._alarm.cancel()
        # Popen must not wait for a process that is gone.
        self._process.returncode = code = os.waitstatus_to_exitcode(status)
        if code != 0:
            raise BenchError(f"{_name(self._process.args)} ended with status {code}")
        return Spent(usage.ru_utime + usage.ru_stime, wall)


def run(
    command: Sequence[str], *, folder: Path, deadline: float, env: Mapping[str, str] | None = None
) -> Spent:
    """Run `command` in `folder` to its end. Raises BenchError with its last words."""
    words = folder / "words.txt"
    with words.open("wb") as log, subprocess.Popen(
        command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    ) as process:  # fmt: skip
        try:
            return Meter(process, deadline).wait()
        except BenchError as error:
            raise BenchError(f"{error}: {words.read_text(errors='replace')[-800:]}") from error


def _name(args: object) -> str:
    return str(args[0]) if isinstance(args, (list, tuple)) else str(args)
