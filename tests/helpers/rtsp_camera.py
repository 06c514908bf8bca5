"""A camera: an RTSP server that sends a clip round and round, RTP interleaved in TCP.

RFC 2326 (10.12 for the interleaving), RFC 6184 (H.264, single NAL units), RFC 3640 (AAC-hbr).
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from struct import pack

from ingest.unit import AudioConfig, AudioUnit, VideoConfig, VideoUnit
from tests.helpers.clips import Clip, units
from transcode.nal import parse_avcc, split_avcc

TICKS = 90_000
"""Ticks of a second, for the picture's RTP time (RFC 6184 8.1) and for ours."""


@dataclass
class Camera:
    """What it shows, whom it lets in, where it sends others."""

    clip: Clip = field(default_factory=lambda: Clip(seconds=2.0))
    login: str = ""
    """`user:password`; empty: anybody."""
    redirect: str = ""
    """Answer DESCRIBE by sending the client there."""
    port: int = 0
    asked: list[str] = field(default_factory=list)
    """The first line of each request."""

    def __post_init__(self) -> None:
        self._clients: list[asyncio.StreamWriter] = []
        made = units(self.clip)
        (self._video,) = (unit for unit in made if isinstance(unit, VideoConfig))
        (self._audio,) = (unit for unit in made if isinstance(unit, AudioConfig))
        media = [unit for unit in made if isinstance(unit, VideoUnit | AudioUnit)]
        self._media = [unit for unit in media if unit.pts < self.clip.seconds * TICKS]

    def _description(self) -> str:
        avcc = parse_avcc(self._video.extradata)
        sets = ",".join(base64.b64encode(nal).decode() for nal in (*avcc.sps, *avcc.pps))
        rate, channels = self._audio.sample_rate, self._audio.channels
        return "\r\n".join(
            [
                "v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=camera", "t=0 0",
                "m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000",
                f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}",
                "a=control:track0",
                "m=audio 0 RTP/AVP 97", f"a=rtpmap:97 MPEG4-GENERIC/{rate}/{channels}",
                "a=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;"
                f"indexlength=3;indexdeltalength=3;config={self._audio.extradata.hex()}",
                "a=control:track1", "",
            ]
        )  # fmt: skip

    def cut(self) -> None:
        """Break every connection, without a word."""
        for writer in self._clients:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it leaves."""
        playing: asyncio.Task[None] | None = None
        self._clients.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                self.asked.append(lines[0])
                headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
                method = lines[0].split()[0]
                writer.write(self._answer(method, lines[0], headers))
                if method == "PLAY" and playing is None:
                    playing = asyncio.create_task(self._play(writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            # First: whoever is cancelled below has closed it.
            writer.close()
            if playing is not None:
                playing.cancel()
                await asyncio.gather(playing, return_exceptions=True)

    def _answer(self, method: str, line: str, headers: dict[str, str]) -> bytes:
        status, more, body = "200 OK", "", ""
        given = headers.get("Authorization", "").removeprefix("Basic ")
        if self.login and base64.b64decode(given).decode() != self.login:
            status, more = "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"\r\n'
        elif method == "OPTIONS":
            more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        elif method == "DESCRIBE" and self.redirect:
            status, more = "302 Found", f"Location: {self.redirect}\r\n"
        elif method == "DESCRIBE":
            body, more = self._description(), "Content-Type: application/sdp\r\n"
        elif method == "SETUP":
            track = 2 * int("track1" in line)
            more = f"Transport: RTP/AVP/TCP;unicast;interleaved={track}-{track + 1}\r\n"
        session = "Session: 1\r\n" if method in ("SETUP", "PLAY") else ""
        head = f"RTSP/1.0 {status}\r\nCSeq: {headers.get('CSeq', '0')}\r\n{session}{more}"
        return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        began, sequence, round_ticks = loop.time(), [0, 0], 0
        length = round(self.clip.seconds * TICKS)
        with suppress(ConnectionError):
            while True:
                for unit in self._media:
                    at = round_ticks + (unit.dts if isinstance(unit, VideoUnit) else unit.pts)
                    await asyncio.sleep(began + at / TICKS - loop.time())
                    for packet in self._packets(unit, round_ticks, sequence):
                        writer.write(packet)
                    await writer.drain()
                round_ticks += length

    def _packets(self, unit: VideoUnit | AudioUnit, shift: int, sequence: list[int]) -> list[bytes]:
        if isinstance(unit, AudioUnit):
            stamp = (unit.pts + shift) * self._audio.sample_rate // TICKS
            payload = pack(">HH", 16, len(unit.data) << 3) + unit.data
            return [_interleaved(1, stamp, payload, sequence, last=True)]
        nals = list(split_avcc(unit.data, 4))
        stamp = unit.pts + shift
        return [_interleaved(0, stamp, nal, sequence, last=nal is nals[-1]) for nal in nals]


def _interleaved(
    track: int, stamp: int, payload: bytes, sequence: list[int], *, last: bool
) -> bytes:
    sequence[track] += 1
    kind = 96 + track | 0x80 * last
    head = pack(">BBHII", 0x80, kind, sequence[track] & 0xFFFF, stamp & 0xFFFFFFFF, track + 1)
    return pack(">BBH", 0x24, 2 * track, len(head) + len(payload)) + head + payload


@asynccontextmanager
async def filming(camera: Camera) -> AsyncIterator[str]:
    """Switch a camera on; give its address. At the end of the block its connections are cut."""
    clients: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        clients.add(task)
        with suppress(asyncio.CancelledError):
            await camera.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", camera.port)
    camera.port = server.sockets[0].getsockname()[1]
    try:
        yield f"rtsp://127.0.0.1:{camera.port}/stream"
    finally:
        server.close()
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        await server.wait_closed()
