"""Logging for people on a terminal, for machines elsewhere. One line an event, to stderr."""

from __future__ import annotations

import logging
import re
import sys
import time
from typing import Literal

import structlog

from server.calm import Calm

Format = Literal["auto", "console", "json"]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(level: str = "info", style: Format = "auto") -> None:
    """Set the process's logging. `auto`: coloured on a terminal, JSON lines otherwise."""
    threshold = _LEVELS[level]
    console = sys.stderr.isatty() if style == "auto" else style == "console"
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            Calm(time.monotonic),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_writers(console),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Bridge()], level=max(threshold, logging.WARNING), force=True)


def _writers(console: bool) -> list[structlog.typing.Processor]:
    if console:
        # Told: with rich installed, the default one prints what every frame holds, keys too.
        plain = structlog.dev.plain_traceback
        colors = sys.stderr.isatty()
        return [
            _visible,
            structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain),
        ]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def _visible(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Spell control characters out: a stranger's bytes must not steer the terminal."""
    return {
        name: _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", value)
        if isinstance(value, str)
        else value
        for name, value in event.items()
    }


class _Bridge(logging.Handler):
    """Brings what libraries log into the same lines.

    aiohttp logs each malformed request with a traceback of its own parser: a stranger's
    bytes are one line here, never a page.
    """

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name)
        error = record.exc_info[1] if record.exc_info else None
        message = record.getMessage().splitlines()[0] if record.getMessage() else record.name
        details = {} if error is None else {"error": f"{type(error).__name__}: {error}"[:300]}
        if record.name.startswith("aiohttp") and error is not None:
            log.warning(message[:300], **details)
        elif record.levelno >= logging.ERROR:
            log.error(message[:1000], exc_info=error)
        else:
            log.warning(message[:1000], **details)
