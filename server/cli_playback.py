"""`vitrine playback`: who may watch a channel, beside a running server or without one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from server.address import addresses
from server.channel import PlaybackMode
from server.claim import running
from server.cli_store import on_store
from server.clock import SystemClock
from server.config import Config
from server.errors import Invalid, Problem
from server.instant import rfc3339
from server.options import AsJson, ConfigFile, DataDir, seconds_of, settings
from server.playback.keys import Playback
from server.playback.token import Claims
from server.services import make_playback
from server.store.sqlite import SqliteStore
from server.terminal import commands, one_line_errors, show_json

ChannelId = Annotated[str, typer.Argument(metavar="CHANNEL", help="As `channel list` has it.")]
Result = TypeVar("Result")

app = commands("Who may watch: mode, sign, rotate.")


@app.command(epilog="Example: vitrine playback mode tea signed")
def mode(
    channel: ChannelId,
    to: Annotated[PlaybackMode, typer.Argument(metavar="public|signed", help="Who may watch.")],
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
    lasting: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long it is good: 30m, 2h, 1d.")
    ] = "2h",
    after: Annotated[
        str | None,
        typer.Option("--in", metavar="TIME", help="It is good only after so long: 30m [at once]."),
    ] = None,
    session: Annotated[str, typer.Option(help="It opens this session only, by its id [all].")] = "",
    viewer: Annotated[
        str, typer.Option(help="Whom it is made out to, a name of yours [nobody].")
    ] = "",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a token, as your own site would, and print the addresses that it opens.

    With --session: of that broadcast while it is on the air, of its recording once it has ended.
    """
    with one_line_errors():
        given = settings(config, data_dir)
        seconds = seconds_of("--for", lasting)
        wait = 0 if after is None else seconds_of("--in", after)

        async def work(store: SqliteStore) -> tuple[str, Claims, bool]:
            playback = await make_playback(given, store, SystemClock())
            made = await playback.mint(channel, seconds, session=session, wait=wait, viewer=viewer)
            return *made, await _has_ended(store, channel, session)

        token, claims, ended = on_store(given, work)
        site = (running(given.server.data_dir) or addresses(given)).site
        hls, page = f"/live/{channel}/~{token}/index.m3u8", f"/watch/{channel}"
        if ended:
            hls = f"/replay/{channel}/~{token}/{session}/index.m3u8"
            page = f"/replay/{channel}/{session}/"
        told = {
            "token": token,
            "expires_at": rfc3339(1000 * claims.expires),
            "hls_url": f"{site}{hls}",
            "watch_url": f"{site}{page}?token={token}",
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
        str | None,
        typer.Option(metavar="TIME", help="How long old tokens stay good: 30m, 2h [not at all]."),
    ] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Replace the key that signs tokens; the new one is printed this once.

    Without --keep-old all tokens under the old key are void within seconds.
    """
    with one_line_errors():
        kept = 0 if keep_old is None else seconds_of("--keep-old", keep_old)
        key = _do(settings(config, data_dir), lambda playback: playback.rotate(channel, kept))
        if as_json:
            show_json({"id": channel, "playback_key": key})
            return
        typer.echo(f"playback key  {key}")
        rest = f"for another {keep_old}" if kept else "no longer"
        typer.echo(f"Tokens under the old key are good {rest}.")


async def _has_ended(store: SqliteStore, channel: str, session: str) -> bool:
    """Tell whether a token for `session` opens a recording; all of a channel is none.

    Raises Invalid for a session that is neither on the air nor recorded.
    """
    if not session:
        return False
    entry = await store.recordings.get(channel, session)
    if entry is not None and not entry.removing:
        return entry.ended_ms is not None
    last = await store.last_session(channel)
    if last is not None and last.id == session and last.ended_ms is None:
        return False
    known = f"`vitrine recording list {channel}` has their ids"
    said = f"{session!r} is no session of {channel} that is on the air or recorded; {known}"
    raise Invalid(Problem("--session", said))


def _do(config: Config, act: Callable[[Playback], Awaitable[Result]]) -> Result:
    async def work(store: SqliteStore) -> Result:
        return await act(await make_playback(config, store, SystemClock()))

    return on_store(config, work)
