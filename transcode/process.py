"""One run of the worker process, or of a puller: its pipes, what it says, its end. asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from typing import Self

WORKER = "transcode.worker"
READ_BYTES = 1 << 18
LINE_BYTES = 1 << 16
"""Of what is buffered of an output; a longer line of the log is dropped."""
END_SECONDS = 1.0
"""To leave by itself once its input has ended."""
ENVIRONMENT = {
    # glibc gives freed pictures back to the system at once and faults them in again
    # for the next one, unless it is told that this process always has some.
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    # NumPy's BLAS is never called here; its threads would only be started and spin.
    "OPENBLAS_NUM_THREADS": "1",
}
BARE = frozenset(
    {"PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR"}
)
HARDWARE = ("CUDA_", "NVIDIA_", "LIBVA_")
"""How the names of variables begin that say which card encodes."""


def environment() -> dict[str, str]:
    """Give the environment that a worker runs in: no secret of the server's, nor of its host's."""
    cards = {key: value for key, value in os.environ.items() if key.startswith(HARDWARE)}
    return {**ENVIRONMENT, **cards, **bare_environment()}


def bare_environment() -> dict[str, str]:
    """Give the environment of a process that talks to strangers: what Python needs, no more."""
    return {key: value for key, value in os.environ.items() if key in BARE}


class WorkerProcess:
    """A started worker. Make it with `spawn`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        transport: asyncio.SubprocessTransport,
        stdin: asyncio.StreamWriter,
        stdout: asyncio.StreamReader,
        stderr: asyncio.StreamReader,
    ) -> None:
        self._process = process
        self._transport = transport
        self._stdin = stdin
        self._pipe = stdin.transport
        self._stdout = stdout
        self._stderr = stderr

    @classmethod
    async def spawn(
        cls, module: str | None = None, variables: dict[str, str] | None = None
    ) -> Self:
        """Start a process of ours, by its module; None: a worker. Raises OSError.

        `variables` is all of its environment; None: a worker's.
        """
        module = module or WORKER
        loop = asyncio.get_running_loop()
        # As asyncio.create_subprocess_exec does, which keeps the transport to itself.
        transport, protocol = await loop.subprocess_exec(
            lambda: asyncio.subprocess.SubprocessStreamProtocol(limit=LINE_BYTES, loop=loop),
            sys.executable,
            "-m",
            module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment() if variables is None else variables,
            start_new_session=True,
        )
        process = asyncio.subprocess.Process(transport, protocol, loop)
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise OSError(f"{module} has no pipes")
        return cls(process, transport, process.stdin, process.stdout, process.stderr)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def held(self) -> int:
        """Bytes written that the pipe has not taken yet."""
        return self._pipe.get_write_buffer_size()

    def write(self, *pieces: bytes) -> bool:
        """Queue bytes, one piece behind the other; False when its input is closed. Never blocks."""
        if self._pipe.is_closing():
            return False
        self._pipe.writelines(pieces)
        return True

    async def receive(self) -> bytes:
        """Wait for the next bytes that it writes; none when its output has ended."""
        return await self._stdout.read(READ_BYTES)

    async def read(self, take: Callable[[bytes], None]) -> None:
        """Hand on what the worker writes, until its output ends."""
        while data := await self.receive():
            take(data)

    async def listen(self, hear: Callable[[str], None]) -> None:
        """Hand on the lines of its standard error, until that ends."""
        while True:
            try:
                line = await self._stderr.readline()
            except ValueError:
                continue  # a line longer than the reader's limit; asyncio has dropped it
            if not line:
                return
            hear(line.decode("utf-8", "replace").rstrip())

    def kill(self) -> None:
        """End it by force. Idempotent."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def end(self) -> int:
        """Close its input and wait until it is gone, by force after a moment; give its status."""
        self._stdin.close()
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), END_SECONDS)
        finally:
            self.kill()  # also when nobody waits any more
            # Not left to the pipes' own ends, which a loop that stops may never see.
            self._transport.close()
            # Also for whoever is cancelled here: a loop that stops would leave it unreaped.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), END_SECONDS)
        with contextlib.suppress(OSError, TimeoutError):
            # Bytes that a dead worker never took fail here, once, and are no news.
            await asyncio.wait_for(self._stdin.wait_closed(), END_SECONDS)
        return await self._process.wait()
