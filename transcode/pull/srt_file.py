"""An SRT source as a file for libav: a thread answers the protocol, the reader takes its bytes."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from urllib.parse import parse_qs

from transcode.errors import PullError
from transcode.pull.dial import Dialer, said
from transcode.pull.place import Place
from transcode.pull.srt import ACK_EVERY, MAX_STREAM_ID, SrtReceiver
from transcode.pull.words import SILENT

LATENCY = 1.0
"""Seconds that a lost packet is waited for, and asked for again."""
MOST_BYTES = 32 << 20
"""Unread: half a minute of 8 Mbit/s. More, and the reader has stopped."""
DATAGRAM = 2_048
RECEIVE_BUFFER = 4 << 20


class SrtFile:
    """`read` and `name`, as PyAV takes a file. Not seekable."""

    name = "srt"

    def __init__(self, dialer: Dialer, place: Place) -> None:
        """Connect. Raises PullError."""
        asked = parse_qs(place.query)
        if asked.get("mode", ["caller"])[0] != "caller" or "passphrase" in asked:
            raise PullError("its address asks for a mode or a passphrase that is not supported")
        self._silence = dialer.silence_seconds
        stream_id = asked.get("streamid", [""])[0]
        if len(stream_id.encode()) > MAX_STREAM_ID:
            raise PullError(f"its streamid has more than {MAX_STREAM_ID} bytes")
        self._socket = dialer.datagrams(place)
        self._socket.settimeout(ACK_EVERY)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._receiver = SrtReceiver(
            secrets.randbits(30) | 1,
            secrets.randbits(30),
            stream_id,
            LATENCY,
            time.monotonic(),
        )
        self._ready: deque[bytes] = deque()
        self._unread = 0
        self._failure: PullError | None = None
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="srt", daemon=True)
        self._thread.start()
        self._await_connection(dialer.open_seconds)

    def read(self, most: int) -> bytes:
        """Give at least a byte, at most `most`; nothing at the end. Raises PullError."""
        with self._changed:
            came = self._changed.wait_for(lambda: self._ready or self._ended, self._silence)
            if not self._ready:
                if self._failure is not None:
                    raise self._failure
                if not came:
                    raise PullError(SILENT)
                return b""
            data = self._ready.popleft()
            if len(data) > most:
                self._ready.appendleft(data[most:])
                data = data[:most]
            self._unread -= len(data)
            return data

    def close(self) -> None:
        self._closing = True
        self._thread.join(1.0)

    @property
    def _ended(self) -> bool:
        return self._failure is not None or self._receiver.over

    def _await_connection(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._receiver.connected or self._ended, seconds)
        if not self._receiver.connected:
            self.close()
            raise self._failure or PullError("it does not answer in time")

    def _run(self) -> None:
        try:
            while not self._closing and not self._receiver.over:
                self._step()
        except PullError as error:
            self._failure = error
        except OSError as error:
            self._failure = PullError(said(error))
        with self._changed:
            self._changed.notify_all()
        with suppress(OSError):
            self._receiver.close(time.monotonic())
            self._flush()
        self._socket.close()

    def _step(self) -> None:
        data = self._receiver.check(time.monotonic())
        self._flush()
        with suppress(TimeoutError):
            datagram = self._socket.recv(DATAGRAM)
            data += self._receiver.receive(datagram, time.monotonic())
        with self._changed:
            if data:
                self._ready.append(data)
                self._unread += len(data)
            if self._unread > MOST_BYTES:
                raise PullError("it sends faster than it can be read")
            self._changed.notify_all()

    def _flush(self) -> None:
        for datagram in self._receiver.data_to_send():
            self._socket.send(datagram)
