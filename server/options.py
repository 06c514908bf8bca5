"""The options that commands share, and the configuration that they make."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Annotated

import typer

from server.config import Config
from server.duration import parse_duration
from server.errors import Invalid, Problem
from server.terminal import read_config

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="Configuration file [config.yaml here, if any]."),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of database, keys, recordings [data]."),
]
Host = Annotated[
    str | None, typer.Option("--host", help="Address to listen on [as configured: all].")
]
# Text: what a port may be, and what is said of others, is the configuration's.
HttpPort = Annotated[
    str | None,
    typer.Option(
        "--http-port", metavar="PORT", help="HTTP port; 0 takes a free one [as configured: 8080]."
    ),
]
RtmpPort = Annotated[
    str | None,
    typer.Option(
        "--rtmp-port", metavar="PORT", help="RTMP port; 0 takes a free one [as configured: 1935]."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def settings(
    config: Path | None,
    data_dir: Path | None,
    host: str | None = None,
    http_port: str | None = None,
    rtmp_port: str | None = None,
) -> Config:
    """Load the configuration with a command's options laid over it. Raises ConfigError."""
    overrides: dict[str, object] = {
        "server.data_dir": None if data_dir is None else str(data_dir),
        "server.host": host,
        "server.http_port": http_port,
        "server.rtmp_port": rtmp_port,
    }
    return read_config(config, overrides, dict(os.environ))


def seconds_above_zero(text: str) -> float:
    """Read an option that is a time in seconds. Raises typer.BadParameter."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.1 <= seconds < math.inf:
        raise typer.BadParameter("must be a number of seconds, at least 0.1")
    return seconds


def seconds_of(option: str, text: str) -> int:
    """Read an option that is a time with its unit, such as 8h. Raises Invalid."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise Invalid(Problem(option, str(error))) from error
