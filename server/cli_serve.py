"""`vitrine serve`: the server, until it is told to stop."""

from __future__ import annotations

import os

from server import log
from server.app import Vitrine
from server.encoders import try_encoders
from server.options import ConfigFile, DataDir, Host, HttpPort, RtmpPort, settings
from server.serve import serve_until_told
from server.terminal import commands, one_line_errors, run

app = commands()


@app.command(epilog="Example: vitrine serve --http-port 8080 --rtmp-port 1935")
def serve(
    config: ConfigFile = None,
    data_dir: DataDir = None,
    host: Host = None,
    http_port: HttpPort = None,
    rtmp_port: RtmpPort = None,
) -> None:
    """Run the server until SIGTERM or Ctrl-C; it logs `ready` when it listens."""
    with one_line_errors():
        given = settings(config, data_dir, host, http_port, rtmp_port)
        log.configure(given.log.level, given.log.format)
        try_encoders(given.profiles().values())
        run(serve_until_told(Vitrine(given, os.environ)))
