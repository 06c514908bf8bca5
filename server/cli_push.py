"""`vitrine push`: a file, broadcast as an anchor would."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from server.options import seconds_above_zero
from server.push import Progress, push
from server.terminal import commands, one_line_errors

_LIMIT = typer.Option(
    parser=seconds_above_zero,
    metavar="SECONDS",
    help="Stop after so long [at the end of the file].",
)


app = commands()


@app.command("push", epilog="Example: vitrine push show.mp4 rtmp://localhost/live/KEY --loop")
def push_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Any file that FFmpeg's libraries read.")
    ],
    url: Annotated[str, typer.Argument(metavar="RTMP_URL", help="rtmp://HOST:PORT/live/KEY")],
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end.")] = False,
    seconds: Annotated[float | None, _LIMIT] = None,
) -> None:
    """Broadcast a file in real time, as an anchor would; SIGTERM or Ctrl-C ends it in order."""
    for each in (signal.SIGTERM, signal.SIGINT):
        # Both, and where a script's `&` had the interrupt ignored too: the server hears a goodbye.
        signal.signal(each, signal.default_int_handler)
    with one_line_errors():
        tell = _progress if sys.stderr.isatty() else None
        try:
            sent = push(file, url, loop=loop, seconds=seconds, on_progress=tell)
        finally:
            if tell is not None:
                typer.echo("", err=True)
        typer.echo(f"sent {sent.seconds:.1f} s, {sent.bytes} bytes")


def _progress(now: Progress) -> None:
    minutes, seconds = divmod(now.seconds, 60)
    rate = now.bytes * 8 / max(now.seconds, 0.1) / 1000
    text = f"\r{int(minutes):02d}:{seconds:04.1f}  {rate:6.0f} kbit/s  pass {now.passes} "
    typer.echo(text, err=True, nl=False)
