"""The command `vitrine`. Each command is a few lines; the work is done elsewhere."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from server import cli_channel, cli_playback, cli_products, cli_recording, log
from server.app import Vitrine
from server.cli_lint import lint_command
from server.config import warnings
from server.demo.run import perform
from server.encoders import try_encoders
from server.options import (
    ConfigFile,
    DataDir,
    Host,
    HttpPort,
    RtmpPort,
    seconds_above_zero,
    settings,
)
from server.push import Progress, push
from server.serve import serve_until_told
from server.terminal import one_line_errors, read_config, run, warn

_LIMIT = typer.Option(
    parser=seconds_above_zero,
    metavar="SECONDS",
    help="Stop after so long [at the end of the file].",
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A live streaming server whose picture sells.",
    epilog="Begin with: vitrine demo",
)
app.add_typer(cli_channel.app, name="channel")
app.add_typer(cli_products.app, name="products")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vitrine {version('vitrine')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Tell which it is.")
    ] = False,
) -> None:
    """Take what stands before a command."""


app.add_typer(cli_recording.app, name="recording")
app.add_typer(cli_playback.app, name="playback")


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


@app.command(epilog="Example: vitrine check config.yaml")
def check(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="[config.yaml here, if any]")
    ] = None,
) -> None:
    """Validate the configuration; tell every problem with its line and key.

    Exit status: 0 when it is good, 1 when it is not.
    """
    with one_line_errors():
        given = read_config(config, {}, dict(os.environ))
        try_encoders(given.profiles().values())
        warn(*warnings(given))
        typer.echo("The configuration is good.")


@app.command("push", epilog="Example: vitrine push show.mp4 rtmp://localhost/live/KEY --loop")
def push_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Any file that FFmpeg's libraries read.")
    ],
    url: Annotated[str, typer.Argument(metavar="RTMP_URL", help="rtmp://HOST:PORT/live/KEY")],
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end.")] = False,
    seconds: Annotated[float | None, _LIMIT] = None,
) -> None:
    """Broadcast a file in real time, as an anchor would."""
    with one_line_errors():
        tell = _progress if sys.stderr.isatty() else None
        try:
            sent = push(file, url, loop=loop, seconds=seconds, on_progress=tell)
        finally:
            if tell is not None:
                typer.echo("", err=True)
        typer.echo(f"sent {sent.seconds:.1f} s, {sent.bytes} bytes")


app.command("lint", epilog="Example: vitrine lint http://localhost:8080/live/demo/index.m3u8")(
    lint_command
)


def _progress(now: Progress) -> None:
    minutes, seconds = divmod(now.seconds, 60)
    rate = now.bytes * 8 / max(now.seconds, 0.1) / 1000
    text = f"\r{int(minutes):02d}:{seconds:04.1f}  {rate:6.0f} kbit/s  pass {now.passes} "
    typer.echo(text, err=True, nl=False)


def main() -> None:
    app(prog_name="vitrine")


if __name__ == "__main__":
    main()
