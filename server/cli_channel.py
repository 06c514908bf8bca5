"""`vitrine channel`: commands on the store, beside a running server or without one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from server.address import addresses
from server.app import make_channels, open_store
from server.channels import Channels
from server.claim import running
from server.clock import SystemClock
from server.config import Config
from server.options import AsJson, ConfigFile, DataDir, settings
from server.terminal import one_line_errors, run, show_json, show_table

ChannelId = Annotated[str, typer.Argument(metavar="ID", help="1 to 32 of a-z 0-9 -")]
Result = TypeVar("Result")

app = typer.Typer(no_args_is_help=True, help="Channels: add, list, rotate-key, remove.")


@app.command(epilog='Example: vitrine channel add tea --title "Tea at five"')
def add(
    channel: ChannelId,
    title: Annotated[str, typer.Option(help="What viewers read.")] = "",
    profile: Annotated[str | None, typer.Option(help="Ladder to encode.")] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a channel; its RTMP URL, stream key and anchor token are printed this once.

    The addresses are those of the server that runs on this data directory, else of the
    configuration.
    """
    with one_line_errors():
        given = settings(config, data_dir)
        made = _on_channels(
            given, lambda channels: channels.add(channel, title, profile), make=True
        )
        found = running(given.server.data_dir)
        where = found or addresses(given)
        told = {
            "id": made.channel.id,
            "title": made.channel.title,
            "rtmp_url": where.rtmp,
            **({"rtmps_url": where.rtmps} if where.rtmps else {}),
            "stream_key": made.stream_key,
            "anchor_token": made.anchor_token,
            "watch_url": f"{where.site}/watch/{made.channel.id}",
        }
        if as_json:
            show_json(told)
            return
        for name, value in told.items():
            typer.echo(f"{name.replace('_', ' '):13} {value}")
        if found is None:
            typer.echo("These addresses hold when the server runs with this configuration.")


@app.command("list", epilog="Example: vitrine channel list --json")
def show(config: ConfigFile = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the channels."""
    with one_line_errors():
        found = _on_channels(settings(config, data_dir), lambda channels: channels.list())
        rows = [{"id": c.id, "title": c.title, "profile": c.profile} for c in found]
        if as_json:
            show_json(rows)
        else:
            show_table(("ID", "TITLE", "PROFILE"), [tuple(row.values()) for row in rows])


@app.command("rotate-key", epilog="Example: vitrine channel rotate-key tea")
def rotate_key(
    channel: ChannelId, config: ConfigFile = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Replace the stream key; the new one is printed this once.

    A broadcast that is on goes on: its key is asked for only when it begins. The API's
    POST /api/v1/channels/ID/rotate-key ends it too.
    """
    with one_line_errors():
        key = _on_channels(
            settings(config, data_dir), lambda channels: channels.rotate_key(channel)
        )
        if as_json:
            show_json({"id": channel, "stream_key": key})
            return
        typer.echo(f"stream key    {key}")
        typer.echo("A broadcast that is on goes on; the next one needs this key.")


@app.command(epilog="Example: vitrine channel remove tea")
def remove(channel: ChannelId, config: ConfigFile = None, data_dir: DataDir = None) -> None:
    """Remove a channel with its products and timeline.

    A broadcast that is on goes on, for those who watch already, until its encoder stops or the
    API's DELETE /api/v1/channels/ID ends it.
    """
    with one_line_errors():
        _on_channels(settings(config, data_dir), lambda channels: channels.remove(channel))
        typer.echo(f"removed {channel}")
        typer.echo("A broadcast that is on goes on until its encoder stops; no other can begin.")


def _on_channels(
    config: Config, act: Callable[[Channels], Awaitable[Result]], *, make: bool = False
) -> Result:
    """Do `act` on the channels of the store, which only `make` may begin."""

    async def work() -> Result:
        store = await open_store(config, make=make)
        try:
            return await act(make_channels(config, store, SystemClock()))
        finally:
            await store.close()

    return run(work())
