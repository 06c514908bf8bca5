"""The local disk under recordings: files that grow, and whole ones.

Synchronous, for threads. A write that fails leaves the file as it was before.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

_PARTIAL = ".partial"


class Handle(Protocol):
    """A file that grows."""

    @property
    def size(self) -> int: ...

    def append(self, data: bytes) -> None:
        """Append all of `data` or, raising OSError, nothing."""
        ...

    def cut(self, size: int) -> None:
        """Let go of what lies behind `size`."""
        ...

    def sync(self) -> None:
        """Return when all that was appended survives a loss of power."""
        ...

    def close(self) -> None: ...


class Disk(Protocol):
    """Files by key (`server.record.storage`). Every call may raise OSError and may block."""

    def grow(self, key: str, *, anew: bool = False) -> Handle:
        """Open a file to append to, made with its folders; `anew`: emptied."""
        ...

    def read(self, key: str) -> bytes: ...

    def replace(self, key: str, data: bytes) -> None:
        """Put a file in the place of the one there: whole or not at all, and durably."""
        ...

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the bytes of every file below `prefix`, by key; none where it is missing."""
        ...

    def remove(self, prefix: str) -> int:
        """Remove a file or all below `prefix`; return the bytes freed. Nothing there: 0."""
        ...

    def holders(self, prefix: str, name: str) -> list[str]:
        """Return the folders two steps below `prefix` that have a file or folder `name`, by key."""
        ...

    def space(self) -> tuple[int, int]:
        """Return how many bytes are free to us, and how many there are."""
        ...


class LocalDisk:
    """Files below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def grow(self, key: str, *, anew: bool = False) -> Handle:
        path = self._root / key
        self._make(path.parent)
        fresh = not path.exists()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if anew else 0)
        return _File(os.open(path, flags, 0o600), path.parent if fresh else None)

    def read(self, key: str) -> bytes:
        return (self._root / key).read_bytes()

    def replace(self, key: str, data: bytes) -> None:
        path = self._root / key
        partial = path.with_name(path.name + _PARTIAL)
        try:
            handle = self.grow(key + _PARTIAL, anew=True)
            try:
                handle.append(data)
                handle.sync()
            finally:
                handle.close()
            partial.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
        _sync_folder(path.parent)

    def sizes(self, prefix: str) -> dict[str, int]:
        return {
            path.relative_to(self._root).as_posix(): path.stat().st_size
            for path in self._files(prefix)
        }

    def remove(self, prefix: str) -> int:
        path = self._root / prefix
        freed = sum(each.stat().st_size for each in self._files(prefix))
        if path.is_dir():
            shutil.rmtree(path)
            with contextlib.suppress(OSError):
                path.parent.rmdir()  # the channel's folder, when this was its last recording
        else:
            path.unlink(missing_ok=True)
        return freed

    def holders(self, prefix: str, name: str) -> list[str]:
        found = (self._root / prefix).glob(f"*/*/{name}")
        return sorted(path.parent.relative_to(self._root).as_posix() for path in found)

    def space(self) -> tuple[int, int]:
        folder = self._root
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        stat = os.statvfs(folder)
        return stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize

    def _files(self, prefix: str) -> Iterator[Path]:
        path = self._root / prefix
        if path.is_file():
            yield path
        for each in path.rglob("*"):
            if each.is_file() and not each.name.endswith(_PARTIAL):
                yield each

    def _make(self, folder: Path) -> None:
        """Make a folder, with those above it, that survives a loss of power."""
        if not folder.is_dir():
            self._make(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(folder.parent)


class _File:
    def __init__(self, fd: int, folder: Path | None) -> None:
        """`folder`: of a new file, whose name there is not durable yet."""
        self._fd = fd
        self._folder = folder
        self._size = os.lseek(fd, 0, os.SEEK_END)
        self._torn = False
        """Something lies behind `_size` that could not be cut off yet."""

    @property
    def size(self) -> int:
        return self._size

    def append(self, data: bytes) -> None:
        if self._torn:
            self.cut(self._size)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError:
            self._torn = True
            with contextlib.suppress(OSError):
                self.cut(self._size)
            raise
        self._size += len(data)

    def cut(self, size: int) -> None:
        os.ftruncate(self._fd, size)
        os.lseek(self._fd, size, os.SEEK_SET)
        self._size = size
        self._torn = False

    def sync(self) -> None:
        os.fdatasync(self._fd)
        if self._folder is not None:
            _sync_folder(self._folder)
            self._folder = None

    def close(self) -> None:
        os.close(self._fd)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
