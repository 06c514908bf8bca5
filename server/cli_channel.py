"""`vitrine channel`: commands on the store, beside a running server or without one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from server.address import addresses
from server.channels import Channels
from server.claim import running
from server.cli_store import on_store
from server.clock import SystemClock
from server.config import Config
from server.errors import Invalid, Problem
from server.instant import parse_rfc3339, rfc3339
from server.options import AsJson, ConfigFile, DataDir, seconds_of, settings
from server.services import make_channels, make_sources
from server.source import Source
from server.sources import Sources
from server.terminal import commands, one_line_errors, show_json, show_table

ChannelId = Annotated[str, typer.Argument(metavar="ID", help="1 to 32 of a-z 0-9 -")]
ExpiresIn = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="How long the key begins broadcasts: 8h, 2d."),
]
ExpiresAt = Annotated[
    str | None, typer.Option(metavar="RFC3339", help="Until when it does: 2026-01-02T03:04:05Z.")
]
KeepOld = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="How long the old key stays good: 10m."),
]
Result = TypeVar("Result")

app = commands("Channels: add, list, rename, source, rotate-key, remove.")


@app.command(epilog='Example: vitrine channel add tea --title "Tea at five" --expires-in 8h')
def add(
    channel: ChannelId,
    title: Annotated[str, typer.Option(help="What viewers read [the id].")] = "",
    profile: Annotated[
        str | None,
        typer.Option(help="Name of its encoder settings [as configured]."),
    ] = None,
    expires_in: ExpiresIn = None,
    expires_at: ExpiresAt = None,
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
        until = _until(expires_in, expires_at)
        made = _on_channels(
            given,
            lambda channels: channels.add(channel, title, profile, key_expires_ms=until),
            make=True,
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
            **_expiry(until),
        }
        if as_json:
            show_json(told)
            return
        _show(told)
        if found is None:
            typer.echo("These addresses hold when the server runs with this configuration.")


@app.command("list", epilog="Example: vitrine channel list --json")
def show(config: ConfigFile = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the channels, as they are kept; who is on the air, only the running server knows."""
    with one_line_errors():
        given = settings(config, data_dir)
        found = _on_channels(given, lambda channels: channels.list())
        rows = [
            {"id": c.id, "title": c.title, "profile": c.profile, **_expiry(c.key_expires_ms)}
            for c in found
        ]
        if as_json:
            show_json(rows)
        else:
            names = ("id", "title", "profile", "key_expires_at")
            table = [tuple(row.get(name, "never") for name in names) for row in rows]
            show_table(("ID", "TITLE", "PROFILE", "KEY EXPIRES"), table)
            _hint(given, "Who is on the air", "/api/v1/channels", "/ops")


@app.command(epilog='Example: vitrine channel rename tea "Tea at six"')
def rename(
    channel: ChannelId,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What viewers read.")],
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Give the channel another title; an empty one is its id.

    Pages and the lobby have it with the next look. The recording of a broadcast that is on keeps
    the title that it began with.
    """
    with one_line_errors():
        told = _on_channels(
            settings(config, data_dir), lambda channels: channels.rename(channel, title)
        )
        if as_json:
            show_json({"id": channel, "title": told})
        else:
            typer.echo(f"{channel} is now {told}")


@app.command("rotate-key", epilog="Example: vitrine channel rotate-key tea --keep-old 10m")
def rotate_key(
    channel: ChannelId,
    expires_in: ExpiresIn = None,
    expires_at: ExpiresAt = None,
    keep_old: KeepOld = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Replace the stream key; the new one is printed this once.

    Whoever broadcasts with the old key is turned out within seconds, and the new key resumes
    the broadcast. With --keep-old nobody is: the old key begins broadcasts for so long, and one
    that is on goes on until it ends.
    """
    with one_line_errors():
        until = _until(expires_in, expires_at)
        kept = 0 if keep_old is None else seconds_of("--keep-old", keep_old)
        key = _on_channels(
            settings(config, data_dir), lambda channels: channels.rotate_key(channel, until, kept)
        )
        told = {"stream_key": key, **_expiry(until)}
        if as_json:
            show_json({"id": channel, **told})
            return
        _show(told)
        if kept:
            typer.echo(f"The old key begins broadcasts for another {keep_old}.")
        else:
            typer.echo("Whoever broadcasts with the old key is turned out within seconds.")


@app.command(epilog="Example: vitrine channel remove tea")
def remove(channel: ChannelId, config: ConfigFile = None, data_dir: DataDir = None) -> None:
    """Remove a channel with its products and timeline.

    A broadcast that is on ends within seconds.
    """
    with one_line_errors():
        _on_channels(settings(config, data_dir), lambda channels: channels.remove(channel))
        typer.echo(f"removed {channel}")
        typer.echo("A broadcast that is on ends within seconds.")


@app.command(epilog="Example: vitrine channel source tea rtsp://user:pass@camera.example/1")
def source(
    channel: ChannelId,
    url: Annotated[
        str | None, typer.Argument(metavar="URL", help="rtsp(s), rtmp(s), srt or http(s)")
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Begin a file again at its end.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Pull no longer.")] = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Have the channel's picture pulled from an address; without one, tell which it is.

    A server that runs on this data directory follows within seconds. Whether the source can be
    read, only that server knows; the command says where it tells.
    """
    if remove and url is not None:
        raise typer.BadParameter("give an address or --remove, not both", param_hint="--remove")
    with one_line_errors():
        given = settings(config, data_dir)
        if remove:
            _on_sources(given, lambda sources: sources.remove(channel))
            typer.echo(f"{channel} is pulled no longer")
            return
        if url is None:
            found = _on_sources(given, lambda sources: sources.get(channel))
        else:
            wanted = Source(url, loop)
            found = _on_sources(given, lambda sources: sources.put(channel, wanted))
        if as_json:
            show_json({"url": found.masked, "loop": found.loop, "enabled": found.enabled})
        else:
            words = " (loop)" if found.loop else ""
            typer.echo(f"{found.masked}{words if found.enabled else ' (off)'}")
            path = f"/api/v1/channels/{channel}/source"
            _hint(given, "What it does now", path, f"/studio/{channel}")


def _hint(config: Config, what: str, path: str, page: str) -> None:
    """Say on stderr, where no script takes it for a result, where the server tells `what`."""
    found = running(config.server.data_dir)
    if found is None:
        typer.echo("No server runs on this data directory: nothing is on the air.", err=True)
    else:
        typer.echo(f"{what}: GET {found.site}{path}, or {found.site}{page}", err=True)


def _until(expires_in: str | None, expires_at: str | None) -> int | None:
    """Read when a key is to expire, UTC ms. Raises Invalid."""
    if expires_in is not None and expires_at is not None:
        raise Invalid(Problem("--expires-in, --expires-at", "only one of them can be given"))
    if expires_in is not None:
        return SystemClock().wall_ms() + 1000 * seconds_of("--expires-in", expires_in)
    if expires_at is None:
        return None
    try:
        return parse_rfc3339(expires_at)
    except ValueError as error:
        raise Invalid(Problem("--expires-at", str(error))) from error


def _expiry(until: int | None) -> dict[str, str]:
    """Tell of an expiry, where there is one."""
    return {} if until is None else {"key_expires_at": rfc3339(until)}


def _show(told: dict[str, str]) -> None:
    width = max(13, *map(len, told))
    for name, value in told.items():
        typer.echo(f"{name.replace('_', ' '):{width}} {value}")


def _on_channels(
    config: Config, act: Callable[[Channels], Awaitable[Result]], *, make: bool = False
) -> Result:
    """Do `act` on the channels of the store, which only `make` may begin."""
    return on_store(
        config, lambda store: act(make_channels(config, store, SystemClock())), make=make
    )


def _on_sources(config: Config, act: Callable[[Sources], Awaitable[Result]]) -> Result:
    """Do `act` on the sources of the store."""
    return on_store(config, lambda store: act(make_sources(config, store)))
