"""One publisher's RTMP session: bytes in, events out, bytes out. Pure; time is an argument.

The owner moves bytes and the clock: `receive_data`, `data_to_send`, `deadline`
with `check`; and answers PublishRequested with `accept` or `refuse`.
"""

from __future__ import annotations

import re
from typing import Final

from ingest.errors import PeerError
from ingest.limits import Limits
from ingest.port import Refused
from ingest.rtmp import command as answer
from ingest.rtmp.capabilities import CapsEx
from ingest.rtmp.chunk import RawMessage
from ingest.rtmp.chunk_reader import ChunkReader
from ingest.rtmp.chunk_writer import ChunkWriter
from ingest.rtmp.command import REFUSAL_CODES, Code, Connect
from ingest.rtmp.event import Ended, Event, PublishRequested, Received
from ingest.rtmp.flv import FlvReader, read_metadata
from ingest.rtmp.handshake import ServerHandshake
from ingest.rtmp.message import (
    Acknowledgement,
    Audio,
    Command,
    Data,
    Message,
    MessageType,
    SetChunkSize,
    SetPeerBandwidth,
    UserControl,
    UserEvent,
    Video,
    WindowAckSize,
    parse,
)
from ingest.rtmp.state import Action, State, action_for
from ingest.unit import Unit

WINDOW: Final = 2_500_000
"""Bytes between acknowledgements, at most; a peer may ask for fewer."""

_MIN_WINDOW: Final = 4_096
_OUR_CHUNK_SIZE: Final = 4_096
_VIDEO: Final = int(MessageType.VIDEO)
_MEDIA: Final = frozenset((_VIDEO, int(MessageType.AUDIO)))


class RtmpSession:
    """The server's side of one connection.

    `nonce`: handshake.NONCE_SIZE random bytes; `now`: seconds on any monotonic
    clock, the same in every call; `app`: the application that is served here, of
    which a peer may name an instance (`live/anything`).
    """

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
        self._units: list[Unit] = []
        """Before `_events`: nothing but its end follows on a publish."""
        self._early: list[Audio | Data | Video] = []
        self._opened = self._heard = self._played = now
        self._received = self._acknowledged = 0
        self._window = WINDOW
        self._connect = Connect("", "", "")
        self._streams = self._stream_id = 0
        self._leaving = False
        self.unpublished = False
        """Whether the publisher took its leave (FCUnpublish), if only by half.

        deleteStream follows, but encoders close without reading: an answer of ours can meet the
        reset, and the loop then drops what was still unread.
        """

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
                silent = self._heard + self._limits.silence_seconds
                return min(silent, self._played + self._limits.media_seconds)
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
            case State.LIVE if now >= self._heard + self._limits.silence_seconds:
                raise PeerError("the publisher went silent")
            case State.LIVE:
                raise PeerError("the publisher sends neither picture nor sound")
            case _:
                raise PeerError("no publish in time")

    def receive_data(self, data: bytes, now: float) -> list[Event]:
        """Take the peer's bytes; return what they mean.

        Raises PeerError, and nothing else, on bytes that must not be; events before
        them in the same `data` are lost. Ignores everything once CLOSED.
        """
        self._heard = now
        self._received += len(data)
        if self.state is not State.LIVE:
            data = self._before(data)
        for raw in self._reader.receive(data):
            if raw.type_id in _MEDIA and self.state is State.LIVE:
                self._media(raw)
            else:
                self._understand(raw)
        if self._received - self._acknowledged >= self._window:
            self._acknowledged = self._received
            self._send(Acknowledgement(self._received & 0xFFFFFFFF))
        return self._taken()

    def _before(self, data: bytes) -> bytes:
        """Take what comes before a publish is accepted; return what is left for the chunks."""
        if self.state is State.CLOSED:
            return b""
        if self._received > self._limits.unpublished_bytes:
            raise PeerError("too many bytes before a publish was accepted")
        if self.state is State.HANDSHAKE:
            sent, data = self._handshake.receive(data)
            self._out += sent
            if self._handshake.done:
                self.state = State.CONNECT
        return data

    def data_to_send(self) -> bytes:
        """Return what is to be written now, once."""
        if not self._out:
            return b""
        data = bytes(self._out)
        self._out.clear()
        return data

    def accept(self, now: float) -> list[Event]:
        """Begin the publish that was asked for; return what its media so far means.

        Few encoders send media unasked, but what they send first is the sequence
        headers. Raises PeerError.
        """
        if self.state is not State.ASKED:
            raise RuntimeError("no publish is waiting for an answer")
        self.state = State.LIVE
        self._heard = self._played = now
        self._send(UserControl(UserEvent.STREAM_BEGIN, self._stream_id.to_bytes(4, "big")))
        self._send(answer.status(self._stream_id, Code.PUBLISH_START, "On the air."))
        early, self._early = self._early, []
        for message in early:
            self._read(message)
        return self._taken()

    def refuse(self, refused: Refused) -> None:
        """Tell the publisher why not, and close."""
        if self.state is not State.ASKED:
            raise RuntimeError("no publish is waiting for an answer")
        self._fail(REFUSAL_CODES[refused.refusal], refused.reason)

    def ask_to_reconnect(self, description: str) -> None:
        """Ask the publisher to come again, if it said that it can be asked (capsEx).

        It may go on until end(), which then says no more: an error would stop an encoder
        that is about to come back.
        """
        able = CapsEx.RECONNECT in self._connect.capabilities.extended
        if able and not self._leaving and self.state is not State.CLOSED:
            self._leaving = True
            self._send(answer.reconnect_request(description))

    def end(self, reason: str) -> None:
        """Tell the publisher why its session is ended, where it can be told, and close."""
        if self._leaving or self.state in {State.HANDSHAKE, State.CLOSED}:
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

    def _taken(self) -> list[Event]:
        events, self._events = self._events, []
        if self._units:
            units, self._units = tuple(self._units), []
            events.insert(0, Received(units))
        return events

    def _media(self, raw: RawMessage) -> None:
        """Read a live publisher's picture or sound: the hot path, past `parse`."""
        self._played = self._heard
        read = self._flv.video if raw.type_id == _VIDEO else self._flv.audio
        self._units += read(raw.timestamp, raw.payload)

    def _understand(self, raw: RawMessage) -> None:
        if self.state is not State.CLOSED:
            for message in parse(raw):
                self._take(message)

    def _take(self, message: Message) -> None:
        match message:
            case Video() | Audio() | Data():
                if self.state is State.LIVE:
                    self._read(message)
                elif self.state is State.ASKED:
                    self._early.append(message)  # Bounded by Limits.unpublished_bytes.
            case Command():
                self._obey(message)
            case UserControl(UserEvent.PING_REQUEST, data):
                self._send(UserControl(UserEvent.PING_RESPONSE, data[:4]))
            case WindowAckSize(size):
                self._window = min(max(size, _MIN_WINDOW), WINDOW)
            case _:
                pass  # The peer's acknowledgements and bandwidth: we hardly send.

    def _read(self, message: Audio | Data | Video) -> None:
        self._played = self._heard
        match message:
            case Video(timestamp, payload):
                self._units += self._flv.video(timestamp, payload)
            case Audio(timestamp, payload):
                self._units += self._flv.audio(timestamp, payload)
            case Data(values):
                info = read_metadata(values)
                self._units += () if info is None else (info,)

    def _obey(self, command: Command) -> None:
        action = action_for(self.state, command.name)
        self.unpublished |= action is Action.UNPUBLISH
        match action:
            case Action.CONNECT:
                self._on_connect(command)
            case Action.CREATE_STREAM:
                self._on_create_stream(command)
            case Action.PUBLISH:
                self._on_publish(command)
            case Action.PUBLISH_AGAIN:
                reason = "This connection publishes already."
                self._send(_refusal(command, Code.PUBLISH_BAD_NAME, reason))
            case Action.PLAY:
                reason = "This server takes broadcasts; watch in a browser."
                self._send(_refusal(command, Code.PLAY_FAILED, reason))
            case Action.END:
                self._on_end()
            case Action.UNPUBLISH | Action.CONFIRM if command.transaction:
                self._send(answer.result(command.transaction, None))
            case Action.REJECT if command.transaction:
                reason = f"{command.name[:64]} is not served here"
                self._send(answer.error(command.transaction, reason))
            case _:
                pass

    def _on_connect(self, command: Command) -> None:
        connect = answer.read_connect(command)
        served = self._served_app
        if connect.app.partition("/")[0] != served:
            reason = f"The server path must be /{served}: rtmp://HOST/{served}"
            self._send(answer.error(command.transaction, reason, Code.CONNECT_REJECTED))
            self.state = State.CLOSED
            self._events.append(Ended(f"connect to app {_tellable(connect.app)}, not {served}"))
            return
        self._connect = connect
        self.state = State.READY
        self._send(WindowAckSize(WINDOW))
        self._send(SetPeerBandwidth(WINDOW))
        self._send(SetChunkSize(_OUR_CHUNK_SIZE))
        self._send(answer.connected(command.transaction, connect.capabilities))

    def _on_create_stream(self, command: Command) -> None:
        if self._streams >= self._limits.message_streams:
            raise PeerError("too many message streams")
        self._streams += 1
        self._send(answer.result(command.transaction, None, float(self._streams)))

    def _on_publish(self, command: Command) -> None:
        self._stream_id = command.stream_id
        app, key = answer.read_key(command, self._connect)
        self.state = State.ASKED
        self._events.append(PublishRequested(app, key, self._connect.encoder))

    def _on_end(self) -> None:
        if self.state is State.LIVE:
            self._send(answer.status(self._stream_id, Code.UNPUBLISHED, "Off the air."))
        self.state = State.CLOSED
        self._events.append(Ended("the publisher ended the stream"))


def _refusal(command: Command, code: Code, reason: str) -> Command:
    return answer.status(command.stream_id, code, reason, level="error")


def _tellable(app: str) -> str:
    """Quote an app for the log: what follows a slash, or is as long as a key, may be one."""
    name = re.split(r"[/?]", app, maxsplit=1)[0]
    if re.fullmatch(r"[\w-]{32,}", name):
        return f"of {len(name)} characters that may be a key"
    return repr(name[:64])
