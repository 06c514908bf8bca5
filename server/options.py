"""The options that commands share, and the configuration that they make."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from server.config import Config
from server.terminal import read_config

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Configuration file [config.yaml if there].")
]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where everything is kept.")]
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
HttpPort = Annotated[int | None, typer.Option("--http-port", help="HTTP port; 0 takes a free one.")]
RtmpPort = Annotated[int | None, typer.Option("--rtmp-port", help="RTMP port; 0 takes a free one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def settings(
    config: Path | None,
    data_dir: Path | None,
    host: str | None = None,
    http_port: int | None = None,
    rtmp_port: int | None = None,
) -> Config:
    """Load the configuration with a command's options laid over it. Raises ConfigError."""
    overrides: dict[str, object] = {
        "server.data_dir": None if data_dir is None else str(data_dir),
        "server.host": host,
        "server.http_port": http_port,
        "server.rtmp_port": rtmp_port,
    }
    return read_config(config, overrides, dict(os.environ))
