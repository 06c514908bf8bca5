"""An RTMP publisher on the project's own chunk layer, with the manners of real encoders."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace

from ingest.limits import Limits
from ingest.rtmp.amf0 import EcmaArray, Value
from ingest.rtmp.chunk import HeaderType, RawMessage
from ingest.rtmp.chunk_reader import ChunkReader
from ingest.rtmp.chunk_writer import ChunkWriter
from ingest.rtmp.message import Command, Data, Message, MessageType, SetChunkSize, parse

DEADLINE = 10.0
_HANDSHAKE = 1536


@dataclass(frozen=True, slots=True)
class Manners:
    """What differs between encoders on the wire."""

    encoder: str
    chunk_size: int
    chunk_size_first: bool
    """SetChunkSize before connect (OBS); else after its answer."""
    stream_csid: int
    """Chunk stream of publish and metadata."""
    audio_csid: int
    video_csid: int
    deltas: bool
    """Media after the first with type 1 headers; else each with a full one."""
    repeat_extended: bool
    courtesies: tuple[str, ...]
    """Commands about the key between connect and createStream."""


OBS = Manners(
    encoder="FMLE/3.0 (compatible; FMSc/1.0)",
    chunk_size=4096,
    chunk_size_first=True,
    stream_csid=4,
    audio_csid=4,
    video_csid=4,
    deltas=True,
    repeat_extended=False,
    courtesies=("releaseStream", "FCPublish"),
)
FFMPEG = replace(
    OBS,
    encoder="FMLE/3.0 (compatible; Lavf59.27.100)",
    chunk_size=60_000,
    chunk_size_first=False,
    stream_csid=8,
    audio_csid=4,
    video_csid=6,
    repeat_extended=True,
)
PLAIN = replace(OBS, chunk_size=128, chunk_size_first=False, deltas=False, courtesies=())


class RtmpPublisher:
    """One connection. Every wait has a deadline of DEADLINE seconds."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, manners: Manners
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._manners = manners
        self._chunks_in = ChunkReader(Limits())
        self._chunks_out = ChunkWriter(repeat_extended=manners.repeat_extended)
        self._inbox: list[Message] = []
        self._opened: dict[int, int] = {}
        """Message stream that each chunk stream carried last."""
        self._transaction = 0.0
        self._stream_id = 0

    @classmethod
    async def connect(
        cls, port: int, manners: Manners = OBS, trust: ssl.SSLContext | None = None
    ) -> RtmpPublisher:
        """Connect to loopback and shake hands; over TLS where there is somebody to `trust`."""
        async with asyncio.timeout(DEADLINE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
            publisher = cls(reader, writer, manners)
            try:
                await publisher.shake_hands()
            except (ConnectionError, asyncio.IncompleteReadError):
                publisher.abort()
                raise
        return publisher

    async def publish(
        self, key: str, app: str = "live", announced: dict[str, Value] | None = None
    ) -> dict[str, Value]:
        """Go through the commands as the encoder does; return what onStatus says.

        `announced`: further properties of `connect`.
        """
        manners = self._manners
        if manners.chunk_size_first:
            self.send(SetChunkSize(manners.chunk_size).raw())
        connect: dict[str, Value] = {
            "app": app,
            "type": "nonprivate",
            "flashVer": manners.encoder,
            "tcUrl": f"rtmp://127.0.0.1/{app}",
            **(announced or {}),
        }
        await self.call("connect", connect)
        if not manners.chunk_size_first and manners.chunk_size != 128:
            self.send(SetChunkSize(manners.chunk_size).raw())
        for name in manners.courtesies:
            self.command(name, None, key)
        created = await self.call("createStream", None)
        stream_id = created.arguments[1]
        if not isinstance(stream_id, float):
            raise AssertionError("createStream gave no stream id")
        self._stream_id = int(stream_id)
        self.command("publish", None, key, "live", csid=manners.stream_csid)
        return await self.status()

    async def status(self) -> dict[str, Value]:
        """Wait for the next onStatus; return its information object."""
        answer = await self._answer({"onStatus"}, None)
        information = answer.arguments[1]
        if not isinstance(information, dict):
            raise AssertionError("onStatus without information")
        return information

    async def call(self, name: str, *arguments: Value) -> Command:
        """Send a command; wait for its `_result` or `_error`."""
        transaction = self.command(name, *arguments)
        return await self._answer({"_result", "_error"}, transaction)

    def command(self, name: str, *arguments: Value, csid: int = 3) -> float:
        """Send a command; return its transaction id."""
        self._transaction += 1
        stream_id = self._stream_id if name == "publish" else 0
        command = Command(name, self._transaction, arguments, stream_id)
        self.send(command.raw(csid))
        return self._transaction

    def metadata(self, **said: Value) -> None:
        data = Data(("@setDataFrame", "onMetaData", EcmaArray(said)))
        self.send(data.raw(self._manners.stream_csid, self._stream_id))

    def video(self, timestamp: int, tag: bytes) -> None:
        self._media(self._manners.video_csid, MessageType.VIDEO, timestamp, tag)

    def audio(self, timestamp: int, tag: bytes) -> None:
        self._media(self._manners.audio_csid, MessageType.AUDIO, timestamp, tag)

    def send(self, raw: RawMessage, kind: HeaderType = HeaderType.FULL) -> None:
        self._opened[raw.csid] = raw.stream_id
        self.send_bytes(self._chunks_out.write(raw, kind))

    def send_bytes(self, data: bytes) -> None:
        self._writer.write(data)

    @property
    def unsent(self) -> int:
        """Bytes that the socket has not taken yet."""
        return self._writer.transport.get_write_buffer_size()

    async def drain(self) -> None:
        async with asyncio.timeout(DEADLINE):
            await self._writer.drain()

    async def end(self) -> None:
        """Leave as encoders do: FCUnpublish, deleteStream, close."""
        self.command("FCUnpublish", None, "key")
        self.command("deleteStream", None, float(self._stream_id))
        await self.drain()
        await self.close()

    async def close(self) -> None:
        self._writer.close()
        async with asyncio.timeout(DEADLINE):
            try:
                await self._writer.wait_closed()
            except (ConnectionError, ssl.SSLError):
                return

    def abort(self) -> None:
        """Vanish: a reset, no goodbye."""
        self._writer.transport.abort()

    async def messages_to_the_end(self) -> list[Message]:
        """Read until the server closes; return everything it said."""
        async with asyncio.timeout(DEADLINE):
            while await self._receive():
                pass
        messages, self._inbox = self._inbox, []
        return messages

    async def shake_hands(self) -> None:
        c1 = bytes(8) + bytes(range(256)) * 5 + bytes(_HANDSHAKE - 8 - 1280)
        self._writer.write(b"\x03" + c1)
        s0_s1_s2 = await self._reader.readexactly(1 + 2 * _HANDSHAKE)
        if s0_s1_s2[0] != 3 or s0_s1_s2[1 + _HANDSHAKE + 8 :] != c1[8:]:
            raise AssertionError("the server does not echo C1")
        self._writer.write(s0_s1_s2[1 : 1 + _HANDSHAKE])

    def _media(self, csid: int, kind: MessageType, timestamp: int, tag: bytes) -> None:
        raw = RawMessage(csid, kind, self._stream_id, timestamp & 0xFFFFFFFF, tag)
        delta = self._manners.deltas and self._opened.get(csid) == raw.stream_id
        self.send(raw, HeaderType.SAME_STREAM if delta else HeaderType.FULL)

    async def _answer(self, names: set[str], transaction: float | None) -> Command:
        async with asyncio.timeout(DEADLINE):
            while True:
                for message in self._inbox:
                    if not isinstance(message, Command) or message.name not in names:
                        continue
                    if transaction in {None, message.transaction}:
                        self._inbox.remove(message)
                        return message
                if not await self._receive():
                    raise ConnectionResetError("the server closed the connection")

    async def _receive(self) -> bool:
        try:
            data = await self._reader.read(65_536)
        except ConnectionError:
            return False
        for raw in self._chunks_in.receive(data):
            self._inbox += parse(raw)
        return bool(data)
