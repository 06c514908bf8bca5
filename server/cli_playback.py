"""`vitrine playback`: who may watch a channel, beside a running server or without one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from server.address import addresses
from server.channel import PlaybackMode
from server.claim import running
from server.clock import SystemClock
from server.config import Config
from server.data import make_playback, open_store
from server.duration import parse_duration
from server.errors import Invalid, Problem
from server.instant import rfc3339
from server.options import AsJson, ConfigFile, DataDir, settings
from server.playback.keys import Playback
from server.terminal import one_line_errors, run, show_json

ChannelId = Annotated[str, typer.Argument(metavar="CHANNEL")]
Result = TypeVar("Result")

app = typer.Typer(no_args_is_help=True, help="Who may watch: mode, sign, rotate.")


@app.command(epilog="Example: vitrine playback mode tea signed")
def mode(
    channel: ChannelId,
    to: Annotated[PlaybackMode, typer.Argument(metavar="public|signed")],
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Let everybody watch, or only who brings a token signed with the channel's key.

    The first time that a channel is signed its key is printed, this once. A server that runs on
    this data directory follows within seconds.
    """
    with one_line_errors():
        key = _do(settings(config, data_dir), lambda playback: playback.set_mode(channel, to))
        if as_json:
            made = {} if key is None else {"playback_key": key}
            show_json({"id": channel, "playback": to.value, **made})
            return
        typer.echo(f"{channel} is {to.value}")
        if key is not None:
            typer.echo(f"playback key  {key}")


@app.command(epilog="Example: vitrine playback sign tea --for 2h --viewer anna")
def sign(
    channel: ChannelId,
    lasting: Annotated[str, typer.Option("--for", metavar="TIME", help="How long: 2h, 1d.")] = "2h",
    after: Annotated[
        str | None, typer.Option("--in", metavar="TIME", help="Good from then on: 30m.")
    ] = None,
    session: Annotated[str, typer.Option(help="Opens this session only.")] = "",
    viewer: Annotated[str, typer.Option(help="Whom it is made out to.")] = "",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a token, as your own site would."""
    with one_line_errors():
        given = settings(config, data_dir)
        seconds = _seconds("--for", lasting)
        wait = 0 if after is None else _seconds("--in", after)
        token, claims = _do(
            given,
            lambda playback: playback.mint(
                channel, seconds, session=session, wait=wait, viewer=viewer
            ),
        )
        where = running(given.server.data_dir) or addresses(given)
        told = {
            "token": token,
            "expires_at": rfc3339(1000 * claims.expires),
            "hls_url": f"{where.site}/live/{channel}/~{token}/index.m3u8",
            "watch_url": f"{where.site}/watch/{channel}?token={token}",
        }
        if as_json:
            show_json(told)
            return
        for name, value in told.items():
            typer.echo(f"{name.replace('_', ' '):13} {value}")


@app.command(epilog="Example: vitrine playback rotate tea --keep-old 2h")
def rotate(
    channel: ChannelId,
    keep_old: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long old tokens stay good: 2h.")
    ] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Replace the key that signs tokens; the new one is printed this once.

    Without --keep-old all tokens under the old key are void within seconds.
    """
    with one_line_errors():
        kept = 0 if keep_old is None else _seconds("--keep-old", keep_old)
        key = _do(settings(config, data_dir), lambda playback: playback.rotate(channel, kept))
        if as_json:
            show_json({"id": channel, "playback_key": key})
            return
        typer.echo(f"playback key  {key}")
        rest = f"for another {keep_old}" if kept else "no longer"
        typer.echo(f"Tokens under the old key are good {rest}.")


def _seconds(option: str, text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise Invalid(Problem(option, str(error))) from error


def _do(config: Config, act: Callable[[Playback], Awaitable[Result]]) -> Result:
    async def work() -> Result:
        store = await open_store(config, make=False)
        try:
            return await act(await make_playback(config, store, SystemClock()))
        finally:
            await store.close()

    return run(work())
