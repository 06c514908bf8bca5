"""A darkroom process on the server's side: started, asked, ended. asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from transcode import plain
from transcode.contact import HEAD, KINDS, MOST, Finish, Negative, Print, Sheets
from transcode.errors import WireError
from transcode.process import WorkerProcess, bare_environment

MODULE = "transcode.darkroom"
ANSWER_SECONDS = 60.0
"""For one picture, on a machine whose processors are wanted for something better."""


class DarkroomLost(Exception):
    """The process is gone, or does not answer."""


class Darkroom:
    """Asks one process, one thing after the other."""

    def __init__(self, process: WorkerProcess) -> None:
        self._process = process
        self._held = b""

    async def ask(self, message: Sheets | Negative | Finish) -> Print:
        """Send a message and wait for its print. Raises DarkroomLost."""
        body = plain.dump(message)
        self._process.write(HEAD.pack(KINDS.index(type(message)), len(body)) + body)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._answer()
        except TimeoutError as error:
            raise DarkroomLost("it does not answer") from error
        except WireError as error:
            raise DarkroomLost(str(error)) from error

    async def _answer(self) -> Print:
        head = HEAD.unpack(await self._exactly(HEAD.size))
        if head[0] != KINDS.index(Print) or head[1] > MOST:
            raise WireError("it answers something else")
        return plain.load(Print, memoryview(await self._exactly(head[1])))

    async def _exactly(self, size: int) -> bytes:
        while len(self._held) < size:
            more = await self._process.receive()
            if not more:
                raise DarkroomLost("it has ended")
            self._held += more
        taken, self._held = self._held[:size], self._held[size:]
        return taken


@asynccontextmanager
async def darkroom() -> AsyncIterator[Darkroom]:
    """Run a darkroom for as long as the block. Raises OSError."""
    process = await WorkerProcess.spawn(MODULE, bare_environment())
    log = structlog.get_logger("record")
    listening = asyncio.create_task(
        process.listen(lambda line: log.warning("a picture is left out", said=line))
    )
    try:
        yield Darkroom(process)
    finally:
        process.kill()
        await process.end()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
