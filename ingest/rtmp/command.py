"""The commands of a publishing session (Adobe RTMP 1.0, 7.2): names, codes, answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qs

from ingest.errors import PeerError
from ingest.port import Refusal
from ingest.rtmp.amf0 import Value
from ingest.rtmp.capabilities import Capabilities, announce, read_capabilities
from ingest.rtmp.message import Command

_MAX_TEXT: Final = 1024
"""Of a name from the peer that is kept or logged, in characters."""


class Code(StrEnum):
    CONNECT_SUCCESS = "NetConnection.Connect.Success"
    CONNECT_REJECTED = "NetConnection.Connect.Rejected"
    RECONNECT_REQUEST = "NetConnection.Connect.ReconnectRequest"
    CALL_FAILED = "NetConnection.Call.Failed"
    PUBLISH_START = "NetStream.Publish.Start"
    PUBLISH_BAD_NAME = "NetStream.Publish.BadName"
    PUBLISH_DENIED = "NetStream.Publish.Denied"
    PLAY_FAILED = "NetStream.Play.Failed"
    UNPUBLISHED = "NetStream.Unpublish.Success"
    FAILED = "NetStream.Failed"


REFUSAL_CODES: Final = {
    # BadName is what encoders take for "the key is wrong"; the others may pass.
    Refusal.BAD_KEY: Code.PUBLISH_BAD_NAME,
    Refusal.BUSY: Code.PUBLISH_DENIED,
    Refusal.RATE_LIMITED: Code.PUBLISH_DENIED,
    Refusal.UNAVAILABLE: Code.PUBLISH_DENIED,
    Refusal.EXPIRED: Code.PUBLISH_BAD_NAME,
    Refusal.DENIED: Code.PUBLISH_DENIED,
    Refusal.STOPPED: Code.PUBLISH_DENIED,
}


@dataclass(frozen=True, slots=True)
class Connect:
    """What `connect` says: the application, its query cut off, and who calls."""

    app: str
    query: str
    encoder: str
    capabilities: Capabilities = field(default_factory=Capabilities)


def read_connect(command: Command) -> Connect:
    """Read the command object of `connect` (7.2.1.1). Raises PeerError if it has none."""
    properties = command.arguments[0] if command.arguments else None
    if not isinstance(properties, dict):
        raise PeerError("connect without a command object")
    app, _, query = _text(properties.get("app")).partition("?")
    encoder = _text(properties.get("flashVer"))
    return Connect(app.strip("/"), query, encoder, read_capabilities(properties))


def read_key(command: Command, connect: Connect) -> tuple[str, str]:
    """Find (app, stream key) in `publish` (7.2.2.6): the key is the name, or `name?key=KEY`.

    Encoders that have one field for the URL put the key where they can: the app's
    query counts when the name has no `key`, the app's second part when there is no
    name at all. The key is "" if there is none, and never part of the app returned, which is
    the first part only: people paste a whole address, key and all, where the server belongs.
    """
    app, _, rest = connect.app.partition("/")
    return app, _find_key(command, connect.query) or rest


def _find_key(command: Command, app_query: str) -> str:
    said = _text(command.arguments[1]) if len(command.arguments) > 1 else ""
    name, _, query = said.partition("?")
    for candidate in (query, app_query):
        keys = parse_qs(candidate).get("key")
        if keys:
            return keys[0]
    return name.strip("/")


def result(transaction: float, *values: Value) -> Command:
    return Command("_result", transaction, values)


def error(transaction: float, description: str, code: Code = Code.CALL_FAILED) -> Command:
    return Command("_error", transaction, (None, _information("error", code, description)))


def status(stream_id: int, code: Code, description: str, level: str = "status") -> Command:
    """Build `onStatus` (7.2.2): it goes to the message stream that it is about."""
    return Command("onStatus", 0.0, (None, _information(level, code, description)), stream_id)


def reconnect_request(description: str) -> Command:
    """Build the request to connect again at the same address (Enhanced RTMP v2)."""
    return status(0, Code.RECONNECT_REQUEST, description)


def connected(transaction: float, capabilities: Capabilities) -> Command:
    """Build the answer to `connect`; it announces nothing that is not there.

    What Enhanced RTMP adds is told to clients that use it, in both objects: the
    specification leaves open which ("one of the parameters").
    """
    properties: dict[str, Value] = {"fmsVer": "FMS/3,5,7,7009", "capabilities": 31.0, "mode": 1.0}
    information = _information("status", Code.CONNECT_SUCCESS, "Connected.")
    information["objectEncoding"] = 0.0
    if capabilities.announced:
        properties |= announce()
        information |= announce()
    return result(transaction, properties, information)


def _information(level: str, code: Code, description: str) -> dict[str, Value]:
    return {"level": level, "code": str(code), "description": description}


def _text(value: Value) -> str:
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
