"""The state machine of a publishing session, as a table. Pure.

| state     | until                   | then          |
|-----------|-------------------------|---------------|
| HANDSHAKE | C2 is in                | CONNECT       |
| CONNECT   | connect, app as served  | READY         |
| READY     | publish                 | ASKED         |
| ASKED     | accept() or refuse()    | LIVE, CLOSED  |
| LIVE      | deleteStream or end()   | CLOSED        |
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final


class State(Enum):
    HANDSHAKE = auto()
    CONNECT = auto()
    READY = auto()
    ASKED = auto()
    LIVE = auto()
    CLOSED = auto()


class Action(Enum):
    CONNECT = auto()
    CREATE_STREAM = auto()
    PUBLISH = auto()
    PUBLISH_AGAIN = auto()
    PLAY = auto()
    END = auto()
    UNPUBLISH = auto()
    """The goodbye is near: confirm, and remember."""
    CONFIRM = auto()
    """Nothing to do; `_result`, since some encoders wait for it."""
    IGNORE = auto()
    REJECT = auto()
    """`_error` if an answer is expected; never a disconnect."""


_ANSWERS: Final = dict.fromkeys(("_result", "_error", "onStatus"), Action.IGNORE)
"""The peer's own answers: to answer these could go on for ever."""

_COURTESIES: Final = dict.fromkeys(
    ("releaseStream", "FCPublish", "FCUnpublish", "_checkbw"), Action.CONFIRM
)
_CONNECTED: Final = {
    **_ANSWERS,
    **_COURTESIES,
    "createStream": Action.CREATE_STREAM,
    "play": Action.PLAY,
}
_PUBLISHING: Final = {
    **_CONNECTED,
    "publish": Action.PUBLISH_AGAIN,
    "FCUnpublish": Action.UNPUBLISH,
    "deleteStream": Action.END,
    "closeStream": Action.END,
}
_TABLE: Final = {
    State.HANDSHAKE: _ANSWERS,
    State.CONNECT: {**_ANSWERS, "connect": Action.CONNECT, "_checkbw": Action.CONFIRM},
    State.READY: {
        **_CONNECTED,
        "publish": Action.PUBLISH,
        "deleteStream": Action.IGNORE,
        "closeStream": Action.IGNORE,
    },
    State.ASKED: _PUBLISHING,
    State.LIVE: _PUBLISHING,
    State.CLOSED: _ANSWERS,
}


def action_for(state: State, command: str) -> Action:
    """Look up what `command` does in `state`."""
    return _TABLE[state].get(command, Action.REJECT)
