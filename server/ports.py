"""The ports of a server: what listens on them, as the configuration says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from ingest.port import Gate
from ingest.rtmp.certificate import Certificate, CertificateError
from ingest.rtmp.listener import RtmpListener
from server.config import Config
from server.http.lane import Lane, listen
from server.listening import naming

_IDLE_SECONDS = 75.0
"""How long a connection may stay open between two requests."""


def ports(config: Config) -> dict[str, int]:
    """Give what is listened on, by the key that says so."""
    server, rtmps = config.server, config.ingest.rtmps
    plain = {"http_port": server.http_port, "rtmp_port": server.rtmp_port}
    return plain if rtmps.files is None else {**plain, "ingest.rtmps.port": rtmps.port}


@asynccontextmanager
async def taking_rtmp(config: Config, gate: Gate) -> AsyncIterator[RtmpListener]:
    """Listen for RTMP, and for RTMPS where it is on.

    Raises OSError, ValueError for a bad certificate.
    """
    server = config.server
    rtmp = RtmpListener(gate, config.ingest_limits(), server.host, server.rtmp_port)
    with naming(server.host, "rtmp_port", server.rtmp_port):
        await rtmp.start()
    try:
        await _secure(rtmp, config)
        yield rtmp
    finally:
        await rtmp.close()


async def _secure(rtmp: RtmpListener, config: Config) -> None:
    rtmps = config.ingest.rtmps
    if rtmps.files is None:
        return
    try:
        certificate = await asyncio.to_thread(Certificate, *rtmps.files)
    except CertificateError as error:
        raise ValueError(f"ingest.rtmps.{error.half}: {error.reason}") from error
    with naming(config.server.host, "ingest.rtmps.port", rtmps.port):
        await rtmp.start_secure(certificate, rtmps.port)
    structlog.get_logger("server").info("rtmps is on", port=rtmp.secure_port)


@asynccontextmanager
async def answering_http(config: Config, app: web.Application, lane: Lane) -> AsyncIterator[int]:
    """Listen for HTTP; give the port. Raises OSError."""
    server = config.server
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=2.0)
    await runner.setup()
    try:
        with naming(server.host, "http_port", server.http_port):
            listening = await listen(lane, runner, server.host, server.http_port, _IDLE_SECONDS)
        try:
            yield int(listening.sockets[0].getsockname()[1])
        finally:
            listening.close()
    finally:
        await runner.cleanup()
