"""A disk of a few hundred kilobytes that really gets full: a tmpfs of our own.

Root mounts it; anybody else does so in a user namespace and reaches it through /proc.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCRIPT = 'mount -t tmpfs -o size="$0" tmpfs "$1" && echo ready && read -r _'


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Mount `size` bytes on `folder`, which must not be there; give the way to it."""
    folder.mkdir()
    options = ("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    if (
        os.geteuid() == 0
        and subprocess.run(options, check=False, capture_output=True).returncode == 0
    ):
        try:
            yield folder
        finally:
            subprocess.run(("umount", "-l", str(folder)), check=True)
        return
    with _of_another_namespace(folder, size) as found:
        yield found


@contextmanager
def _of_another_namespace(folder: Path, size: int) -> Iterator[Path]:
    unshare = ("unshare", "--user", "--map-root-user", "--mount")
    keeper = subprocess.Popen(
        (*unshare, "sh", "-c", _SCRIPT, str(size), str(folder)),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    try:
        said = keeper.stdout.readline()
        assert said == "ready\n", f"no small disk can be mounted here: {said}"
        yield Path(f"/proc/{keeper.pid}/root{folder}")
    finally:
        with contextlib.suppress(BrokenPipeError):
            keeper.stdin.close()
        keeper.stdout.close()
        keeper.wait(10)
