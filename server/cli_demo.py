"""`vitrine demo`: the server, with something to see."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from server import log
from server.demo.run import perform
from server.encoders import try_encoders
from server.options import ConfigFile, DataDir, Host, HttpPort, RtmpPort, settings
from server.terminal import commands, one_line_errors, run

app = commands()


@app.command(epilog="Example: vitrine demo --no-browser")
def demo(
    config: ConfigFile = None,
    data_dir: DataDir = None,
    host: Host = None,
    http_port: HttpPort = None,
    rtmp_port: RtmpPort = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Open no page in a browser.")
    ] = False,
) -> None:
    """Serve, with a channel `demo`: sample products, a generated anchor, a scripted show."""
    with one_line_errors():
        given = settings(config, data_dir, host, http_port, rtmp_port)
        log.configure(given.log.level, given.log.format)
        try_encoders(given.profiles().values())
        run(perform(given, os.environ, browser=not no_browser))
