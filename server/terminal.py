"""How commands speak: results on stdout, one clear line per error on stderr, exit statuses."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import typer
import uvloop

from server.config import Config, load
from server.config_file import ConfigError
from server.errors import Invalid, VitrineError

FAILED = 1
DEFAULT_CONFIG = Path("config.yaml")
Result = TypeVar("Result")


def commands(about: str | None = None) -> typer.Typer:
    """Make the application of a `cli_...` module: one command, or, with `about`, a group."""
    return typer.Typer(
        no_args_is_help=about is not None,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=about,
    )


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what may go wrong into lines on stderr and exit status 1; no traceback."""
    try:
        yield
    except ConfigError as error:
        complain(*error.problems)
        raise typer.Exit(FAILED) from None
    except Invalid as error:
        complain(*(f"{p.field}: {p.problem}" for p in error.problems))
        raise typer.Exit(FAILED) from None
    except OSError as error:
        told = f"{error.filename}: {error.strerror}" if error.filename else _reason(error)
        complain(*told.splitlines())
        raise typer.Exit(FAILED) from None
    except (VitrineError, ValueError, sqlite3.Error) as error:
        complain(str(error))
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def complain(*lines: str) -> None:
    for line in lines:
        typer.echo(f"vitrine: {' '.join(line.split())}", err=True)


def warn(*lines: str) -> None:
    """Tell what is no error, but should be mended."""
    complain(*(f"warning: {line}" for line in lines))


def read_config(
    path: Path | None, overrides: dict[str, object], environment: dict[str, str]
) -> Config:
    """Load `path`, or config.yaml where we stand, or the defaults. Raises ConfigError."""
    chosen = path or (DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None)
    return load(chosen, overrides, environment)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end on an event loop of uvloop's."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def show_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns; nothing but the head when there are no rows."""
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo(line.rstrip())
