"""One connection of HTTP/2 (RFC 9113): many requests at once, each answer stamped as it ends.

asyncio. `h2` keeps the protocol, and holds answers against it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

ALPN: Final = "h2"
WINDOW: Final = 16_777_216
"""Bytes that a server may send ahead: some seconds of the best rendition."""
MOST_FRAME: Final = 16_384
_FRAME_HEAD = 9
_GOAWAY = 7


class WentAwayError(ConnectionError):
    """The server takes no more requests here, and has not looked at this one (6.8)."""


@dataclass(slots=True)
class Stream:
    """An answer as it comes."""

    done: asyncio.Future[None]
    is_open: bool = False
    """Asked for, and not at its end."""
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)


class Http2(asyncio.Protocol):
    """To be given to `create_connection`; does nothing where TLS chose another protocol."""

    def __init__(self, most_bytes: int) -> None:
        """`most_bytes`: of one answer's body, as it is sent."""
        self._most_bytes = most_bytes
        self._h2 = H2Connection(H2Configuration(client_side=True))
        self._transport: asyncio.Transport | None = None
        self._streams: dict[int, Stream] = {}
        self._coming = b""
        """A frame that is not whole yet."""
        self._changed = asyncio.Event()
        self.chosen = False
        """TLS chose HTTP/2."""
        self.takes_more = True
        """Requests; else another connection is to be made."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to speak, if the server does as well."""
        self._transport = cast("asyncio.Transport", transport)
        self.chosen = transport.get_extra_info("ssl_object").selected_alpn_protocol() == ALPN
        if self.chosen:
            told = {SettingCodes.ENABLE_PUSH: 0, SettingCodes.INITIAL_WINDOW_SIZE: WINDOW}
            self._h2.local_settings = Settings(client=True, initial_values=told)
            self._h2.initiate_connection()
            self._h2.increment_flow_control_window(WINDOW)
            self._flush()

    def data_received(self, data: bytes) -> None:
        """Take the server's frames, one by one."""
        self._coming += data
        while len(self._coming) >= _FRAME_HEAD:
            size = int.from_bytes(self._coming[:3])
            whole = _FRAME_HEAD + size
            if len(self._coming) < whole and size <= MOST_FRAME:
                return
            frame, self._coming = self._coming[:whole], self._coming[whole:]
            # h2 would take it for the end of all answers that are on their way.
            if frame[3] == _GOAWAY and size >= 8:
                self._go_away(frame[_FRAME_HEAD:])
            elif not self._take(frame):
                return

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self._end(ConnectionResetError(str(exc or "the server closed the connection")))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def request(
        self, method: str, authority: str, target: str, headers: Mapping[str, str]
    ) -> Stream:
        """Ask, and wait for the whole answer. Raises ConnectionError, WentAwayError among them."""
        while self.takes_more and self._is_full():
            self._changed.clear()
            await self._changed.wait()
        if not self.takes_more:
            raise WentAwayError("the server closed the connection")
        fields = [(":method", method), (":scheme", "https"), (":authority", authority)]
        fields += [(":path", target), *((name.lower(), value) for name, value in headers.items())]
        number = self._h2.get_next_available_stream_id()
        stream = Stream(asyncio.get_running_loop().create_future())
        self._streams[number] = stream
        try:
            self._h2.send_headers(number, fields, end_stream=True)
            stream.is_open = True
            self._flush()
            await stream.done
            return stream
        except ProtocolError as error:
            raise ConnectionError(f"HTTP/2: {error}") from error
        finally:
            self._let_go(number)

    def _is_full(self) -> bool:
        return len(self._streams) >= self._h2.remote_settings.max_concurrent_streams

    def _let_go(self, number: int) -> None:
        """Forget a stream; the server is told when it need not go on with it."""
        if self._streams.pop(number).is_open:
            self._h2.reset_stream(number, ErrorCodes.CANCEL)
            self._flush()
        self._changed.set()
        if not self.takes_more and not self._streams:
            self.close()

    def _take(self, frame: bytes) -> bool:
        """Take a frame; False when it broke the protocol, and the connection."""
        try:
            for event in self._h2.receive_data(frame):
                self._happened(event)
        except (ProtocolError, ValueError) as error:  # a status that is no number is the latter
            self._flush()
            self._end(ConnectionError(f"HTTP/2: {error}"))
            self.close()
            return False
        self._flush()
        return True

    def _happened(self, event: Event) -> None:
        number = getattr(event, "stream_id", 0)
        stream = self._streams.get(number)
        if isinstance(event, DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length, number)
        if stream is None:
            return
        match event:
            case ResponseReceived():
                told = [(_text(name), _text(value)) for name, value in event.headers]
                stream.status = int(dict(told)[":status"])
                stream.headers = [pair for pair in told if not pair[0].startswith(":")]
            case DataReceived():
                stream.body += event.data
                if len(stream.body) > self._most_bytes:
                    _fail(stream, ConnectionError(f"more than {self._most_bytes} bytes"))
            case StreamEnded():
                stream.is_open = False
                if not stream.done.done():
                    stream.done.set_result(None)
            case StreamReset():
                stream.is_open = False
                _fail(stream, ConnectionResetError(f"HTTP/2: {event!r}"))

    def _go_away(self, told: bytes) -> None:
        """Ask nothing more here; what the server has taken it still answers (6.8)."""
        last, code = int.from_bytes(told[:4]) & 0x7FFF_FFFF, int.from_bytes(told[4:8])
        self.takes_more = False
        for number, stream in self._streams.items():
            if number > last:
                stream.is_open = False
                _fail(stream, WentAwayError("the server closed the connection"))
            elif code != ErrorCodes.NO_ERROR:
                _fail(stream, ConnectionResetError(f"HTTP/2: the server gave up, error {code}"))
        self._changed.set()

    def _end(self, error: ConnectionError) -> None:
        self.takes_more = False
        for stream in self._streams.values():
            stream.is_open = False
            _fail(stream, error)
        self._changed.set()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and self._transport is not None:
            self._transport.write(data)


def _fail(stream: Stream, error: ConnectionError) -> None:
    if not stream.done.done():
        stream.done.set_exception(error)


def _text(said: bytes | str) -> str:
    return said.decode("latin-1") if isinstance(said, bytes) else said
