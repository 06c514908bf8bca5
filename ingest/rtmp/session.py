"""One publisher's RTMP session: bytes in, events out, bytes out. Pure; time is an argument.

The owner moves bytes and the clock: `receive_data`, `data_to_send`, `deadline`
with `check`; and answers PublishRequested with `accept` or `refuse`.

| state     | until                   | then      |
|-----------|-------------------------|-----------|
| HANDSHAKE | C2 is in                | CONNECT   |
| CONNECT   | connect, app as served  | READY     |
| READY     | publish with a key      | ASKED     |
| ASKED     | accept() / refuse()     | LIVE / CLOSED |
| LIVE      | deleteStream, end()     | CLOSED    |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from ingest.errors import PeerError
from ingest.limits import Limits
from ingest.port import Refused
from ingest.rtmp import command as answer
from ingest.rtmp.chunk_reader import ChunkReader
from ingest.rtmp.chunk_writer import ChunkWriter
from ingest.rtmp.command import REFUSAL_CODES, Code, Connect
from ingest.rtmp.flv import FlvReader, read_metadata
from ingest.rtmp.handshake import ServerHandshake
from ingest.rtmp.message import (
    Acknowledgement,
    Audio,
    Command,
    Data,
    Message,
    SetChunkSize,
    SetPeerBandwidth,
    UserControl,
    UserEvent,
    Video,
    WindowAckSize,
    parse,
)
from ingest.unit import Unit

WINDOW: Final = 2_500_000
"""Bytes between acknowledgements, at most; a peer may ask for fewer."""

_MIN_WINDOW: Final = 4_096
_OUR_CHUNK_SIZE: Final = 4_096


class State(Enum):
    HANDSHAKE = "handshake"
    CONNECT = "connect"
    READY = "ready"
    ASKED = "asked"
    LIVE = "live"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class PublishRequested:
    """Judge it, then call accept() or refuse(). `key` is a secret: never logged."""

    app: str
    key: str
    encoder: str


@dataclass(frozen=True, slots=True)
class Received:
    unit: Unit


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over in good order; close the connection once the bytes are sent."""

    reason: str


Event: TypeAlias = PublishRequested | Received | Ended


class RtmpSession:
    """The server's side of one connection.

    `nonce`: handshake.NONCE_SIZE random bytes; `now`: seconds on any monotonic
    clock, the same in every call; `app`: the application that is served here, of
    which a peer may name an instance (`live/anything`).
    """

    __slots__ = (
        "_acknowledged",
        "_connect",
        "_events",
        "_flv",
        "_handshake",
        "_heard",
        "_limits",
        "_opened",
        "_out",
        "_reader",
        "_received",
        "_served_app",
        "_stream_id",
        "_streams",
        "_window",
        "_writer",
        "state",
    )

    def __init__(self, limits: Limits, nonce: bytes, now: float, app: str = "live") -> None:
        self.state = State.HANDSHAKE
        self._limits = limits
        self._served_app = app
        self._handshake = ServerHandshake(nonce)
        self._reader = ChunkReader(limits)
        self._writer = ChunkWriter()
        self._flv = FlvReader()
        self._out = bytearray()
        self._events: list[Event] = []
        self._opened = self._heard = now
        self._received = self._acknowledged = 0
        self._window = WINDOW
        self._connect = Connect("", "", "")
        self._streams = self._stream_id = 0

    @property
    def received(self) -> int:
        """Bytes taken from the peer so far."""
        return self._received

    @property
    def deadline(self) -> float | None:
        """When to call check(); None while the owner judges, and after the end."""
        match self.state:
            case State.HANDSHAKE:
                return self._opened + self._limits.handshake_seconds
            case State.CONNECT | State.READY:
                return self._opened + self._limits.publish_seconds
            case State.LIVE:
                return self._heard + self._limits.silence_seconds
            case _:
                return None

    def check(self, now: float) -> None:
        """Raise PeerError if the deadline has passed."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return
        match self.state:
            case State.HANDSHAKE:
                raise PeerError("the handshake took too long")
            case State.LIVE:
                raise PeerError("the publisher went silent")
            case _:
                raise PeerError("no publish in time")

    def receive_data(self, data: bytes, now: float) -> list[Event]:
        """Take the peer's bytes; return what they mean.

        Raises PeerError, and nothing else, on bytes that must not be; events before
        them in the same `data` are lost. Ignores everything once CLOSED.
        """
        if self.state is State.CLOSED or not data:
            return []
        self._heard = now
        self._received += len(data)
        waiting = self.state is not State.LIVE
        if waiting and self._received > self._limits.unpublished_bytes:
            raise PeerError("too many bytes before a publish was accepted")
        if self.state is State.HANDSHAKE:
            sent, data = self._handshake.receive(data)
            self._out += sent
            if not self._handshake.done:
                return []
            self.state = State.CONNECT
        for raw in self._reader.receive(data):
            for message in parse(raw):
                self._take(message)
        if self._received - self._acknowledged >= self._window:
            self._acknowledged = self._received
            self._send(Acknowledgement(self._received & 0xFFFFFFFF))
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> bytes:
        """Return what is to be written now, once."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def accept(self, now: float) -> None:
        """Begin the publish that was asked for."""
        if self.state is not State.ASKED:
            raise RuntimeError("no publish is waiting for an answer")
        self.state = State.LIVE
        self._heard = now
        self._send(UserControl(UserEvent.STREAM_BEGIN, self._stream_id.to_bytes(4, "big")))
        self._send(answer.status(self._stream_id, Code.PUBLISH_START, "On the air."))

    def refuse(self, refused: Refused) -> None:
        """Tell the publisher why not, and close."""
        if self.state is not State.ASKED:
            raise RuntimeError("no publish is waiting for an answer")
        self._fail(REFUSAL_CODES[refused.refusal], refused.reason)

    def end(self, reason: str) -> None:
        """Tell the publisher why its session is ended, where it can be told, and close."""
        if self.state in {State.HANDSHAKE, State.CLOSED}:
            self.state = State.CLOSED
        else:
            self._fail(Code.FAILED, reason)

    def _fail(self, code: Code, reason: str) -> None:
        self._send(answer.status(self._stream_id, code, reason, level="error"))
        self.state = State.CLOSED

    def _send(
        self,
        message: Acknowledgement
        | Command
        | SetChunkSize
        | SetPeerBandwidth
        | UserControl
        | WindowAckSize,
    ) -> None:
        self._out += self._writer.write(message.raw())

    def _take(self, message: Message) -> None:
        match message:
            case Video(timestamp, payload) if self.state is State.LIVE:
                self._emit(self._flv.video(timestamp, payload))
            case Audio(timestamp, payload) if self.state is State.LIVE:
                self._emit(self._flv.audio(timestamp, payload))
            case Data(values) if self.state is State.LIVE:
                self._emit(read_metadata(values))
            case Command():
                self._obey(message)
            case UserControl(UserEvent.PING_REQUEST, data):
                self._send(UserControl(UserEvent.PING_RESPONSE, data[:4]))
            case WindowAckSize(size):
                self._window = min(max(size, _MIN_WINDOW), WINDOW)
            case _:
                pass  # The peer's acknowledgements, bandwidth wishes, media out of season.

    def _emit(self, unit: Unit | None) -> None:
        if unit is not None:
            self._events.append(Received(unit))

    def _obey(self, command: Command) -> None:
        action = _ACTIONS.get((self.state, command.name))
        if action is not None:
            action(self, command)
        elif command.transaction and command.name not in _ANSWERS:
            reason = f"{command.name[:64]} is not served here"
            self._send(answer.error(command.transaction, reason))

    def _on_connect(self, command: Command) -> None:
        connect = answer.read_connect(command)
        if connect.app.partition("/")[0] != self._served_app:
            reason = f"The server path must be /{self._served_app}: rtmp://HOST/{self._served_app}"
            self._send(answer.error(command.transaction, reason, Code.CONNECT_REJECTED))
            self.state = State.CLOSED
            self._events.append(Ended(f"connect to another app than {self._served_app}"))
            return
        self._connect = connect
        self.state = State.READY
        self._send(WindowAckSize(WINDOW))
        self._send(SetPeerBandwidth(WINDOW))
        self._send(SetChunkSize(_OUR_CHUNK_SIZE))
        self._send(answer.connected(command.transaction))

    def _on_create_stream(self, command: Command) -> None:
        if self._streams >= self._limits.message_streams:
            raise PeerError("too many message streams")
        self._streams += 1
        self._send(answer.result(command.transaction, None, float(self._streams)))

    def _on_publish(self, command: Command) -> None:
        self._stream_id = command.stream_id
        key = answer.read_key(command, self._connect)
        self.state = State.ASKED
        self._events.append(PublishRequested(self._connect.app, key, self._connect.encoder))

    def _on_second_publish(self, command: Command) -> None:
        reason = "This connection publishes already."
        self._send(answer.status(command.stream_id, Code.PUBLISH_BAD_NAME, reason, level="error"))

    def _on_play(self, command: Command) -> None:
        reason = "This server takes broadcasts; watch in a browser."
        self._send(answer.status(command.stream_id, Code.PLAY_FAILED, reason, level="error"))

    def _on_courtesy(self, command: Command) -> None:
        """releaseStream, FCPublish, FCUnpublish, _checkbw: encoders ask, some wait."""
        if command.transaction:
            self._send(answer.result(command.transaction, None))

    def _on_delete(self, command: Command) -> None:
        if self.state is State.LIVE:
            self._send(answer.status(self._stream_id, Code.UNPUBLISHED, "Off the air."))
        self.state = State.CLOSED
        self._events.append(Ended("the publisher ended the stream"))

    def _on_early_delete(self, command: Command) -> None:
        """A stream that does not publish is deleted: nothing to end."""


_Action: TypeAlias = Callable[[RtmpSession, Command], None]

_ANSWERS: Final = frozenset(("_result", "_error", "onStatus"))
"""Answers of the peer: to answer these could go on for ever."""

_CONNECTED: Final[dict[str, _Action]] = {
    "createStream": RtmpSession._on_create_stream,
    "releaseStream": RtmpSession._on_courtesy,
    "FCPublish": RtmpSession._on_courtesy,
    "FCUnpublish": RtmpSession._on_courtesy,
    "_checkbw": RtmpSession._on_courtesy,
    "play": RtmpSession._on_play,
}

_TABLE: Final[dict[State, dict[str, _Action]]] = {
    State.CONNECT: {
        "connect": RtmpSession._on_connect,
        "_checkbw": RtmpSession._on_courtesy,
    },
    State.READY: {
        **_CONNECTED,
        "publish": RtmpSession._on_publish,
        "deleteStream": RtmpSession._on_early_delete,
        "closeStream": RtmpSession._on_early_delete,
    },
    State.ASKED: {
        **_CONNECTED,
        "publish": RtmpSession._on_second_publish,
        "deleteStream": RtmpSession._on_delete,
        "closeStream": RtmpSession._on_delete,
    },
    State.LIVE: {
        **_CONNECTED,
        "publish": RtmpSession._on_second_publish,
        "deleteStream": RtmpSession._on_delete,
        "closeStream": RtmpSession._on_delete,
    },
}
"""What each state does with each command; all others are answered with `_error`."""

_ACTIONS: Final = {
    (state, name): action for state, actions in _TABLE.items() for name, action in actions.items()
}
