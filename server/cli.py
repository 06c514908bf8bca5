"""The command `vitrine`. Each command is a few lines; the work is done elsewhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from server import log
from server.address import rtmp_address, site_address
from server.app import Vitrine, make_channels, make_offline_shop, open_store
from server.clock import SystemClock
from server.config import Config
from server.demo.run import perform
from server.errors import Invalid, Problem
from server.push import Progress, push
from server.serve import serve_until_told
from server.shop.feeds import Format, format_of
from server.terminal import (
    FAILED,
    complain,
    one_line_errors,
    read_config,
    run,
    show_json,
    show_table,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A live streaming server whose picture sells.",
)
channel_app = typer.Typer(no_args_is_help=True, help="Channels: add, list, rotate-key, remove.")
products_app = typer.Typer(no_args_is_help=True, help="Products: import.")
app.add_typer(channel_app, name="channel")
app.add_typer(products_app, name="products")

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Configuration file [config.yaml if there].")
]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where everything is kept.")]
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
HttpPort = Annotated[int | None, typer.Option("--http-port", help="HTTP port; 0 takes a free one.")]
RtmpPort = Annotated[int | None, typer.Option("--rtmp-port", help="RTMP port; 0 takes a free one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ChannelId = Annotated[str, typer.Argument(metavar="ID", help="1 to 32 of a-z 0-9 -")]


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
        settings = _settings(config, data_dir, host, http_port, rtmp_port)
        log.configure(settings.log.level, settings.log.format)
        run(serve_until_told(Vitrine(settings, os.environ)))


@app.command(epilog="Example: vitrine demo --no-browser")
def demo(
    config: ConfigFile = None,
    data_dir: DataDir = None,
    host: Host = None,
    http_port: HttpPort = None,
    rtmp_port: RtmpPort = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no page.")] = False,
) -> None:
    """Serve, with a channel `demo`: sample products, a generated anchor, a scripted show."""
    with one_line_errors():
        settings = _settings(config, data_dir, host, http_port, rtmp_port)
        log.configure(settings.log.level, settings.log.format)
        run(perform(settings, os.environ, browser=not no_browser))


@app.command(epilog="Example: vitrine check config.yaml")
def check(config: Annotated[Path | None, typer.Argument(metavar="[CONFIG]")] = None) -> None:
    """Validate the configuration; every problem with its line and key."""
    with one_line_errors():
        read_config(config, {}, dict(os.environ))
        typer.echo("The configuration is good.")


@app.command("push", epilog="Example: vitrine push show.mp4 rtmp://localhost/live/KEY --loop")
def push_command(
    file: Annotated[Path, typer.Argument(help="Any file that FFmpeg's libraries read.")],
    url: Annotated[str, typer.Argument(metavar="RTMP_URL", help="rtmp://HOST:PORT/live/KEY")],
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end.")] = False,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so long.")] = None,
) -> None:
    """Broadcast a file in real time, as an anchor would."""
    with one_line_errors():
        tell = _progress if sys.stderr.isatty() else None
        sent = push(file, url, loop=loop, seconds=seconds, on_progress=tell)
        if tell is not None:
            typer.echo("", err=True)
        typer.echo(f"sent {sent.seconds:.1f} s, {sent.bytes} bytes")


def _progress(now: Progress) -> None:
    minutes, seconds = divmod(now.seconds, 60)
    rate = now.bytes * 8 / max(now.seconds, 0.1) / 1000
    text = f"\r{int(minutes):02d}:{seconds:04.1f}  {rate:6.0f} kbit/s  pass {now.passes} "
    typer.echo(text, err=True, nl=False)


@channel_app.command("add", epilog='Example: vitrine channel add tea --title "Tea at five"')
def channel_add(
    channel: ChannelId,
    title: Annotated[str, typer.Option(help="What viewers read.")] = "",
    profile: Annotated[str | None, typer.Option(help="Ladder to encode.")] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a channel; its RTMP URL, stream key and anchor token are printed this once."""
    with one_line_errors():
        settings = _settings(config, data_dir)
        made = run(_add(settings, channel, title, profile))
        if as_json:
            show_json(made)
            return
        for name, value in made.items():
            typer.echo(f"{name.replace('_', ' '):13} {value}")


async def _add(settings: Config, channel: str, title: str, profile: str | None) -> dict[str, str]:
    store = await open_store(settings)
    try:
        made = await make_channels(settings, store, SystemClock()).add(channel, title, profile)
    finally:
        await store.close()
    return {
        "id": made.channel.id,
        "title": made.channel.title,
        "rtmp_url": rtmp_address(settings),
        "stream_key": made.stream_key,
        "anchor_token": made.anchor_token,
        "watch_url": site_address(settings, f"/watch/{made.channel.id}"),
    }


@channel_app.command("list", epilog="Example: vitrine channel list --json")
def channel_list(
    config: ConfigFile = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """List the channels."""
    with one_line_errors():
        rows = run(_list(_settings(config, data_dir)))
        if as_json:
            show_json(rows)
        else:
            show_table(("ID", "TITLE", "PROFILE"), [tuple(row.values()) for row in rows])


async def _list(settings: Config) -> list[dict[str, str]]:
    store = await open_store(settings)
    try:
        channels = await make_channels(settings, store, SystemClock()).list()
    finally:
        await store.close()
    return [{"id": c.id, "title": c.title, "profile": c.profile} for c in channels]


@channel_app.command("rotate-key", epilog="Example: vitrine channel rotate-key tea")
def channel_rotate_key(
    channel: ChannelId, config: ConfigFile = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Replace the stream key; the new one is printed this once.

    A broadcast that is on goes on; the API's rotate-key ends it too.
    """
    with one_line_errors():
        key = run(_rotate(_settings(config, data_dir), channel))
        if as_json:
            show_json({"id": channel, "stream_key": key})
        else:
            typer.echo(f"stream key    {key}")


async def _rotate(settings: Config, channel: str) -> str:
    store = await open_store(settings)
    try:
        return await make_channels(settings, store, SystemClock()).rotate_key(channel)
    finally:
        await store.close()


@channel_app.command("remove", epilog="Example: vitrine channel remove tea")
def channel_remove(channel: ChannelId, config: ConfigFile = None, data_dir: DataDir = None) -> None:
    """Remove a channel with its products and timeline."""
    with one_line_errors():
        run(_remove(_settings(config, data_dir), channel))
        typer.echo(f"removed {channel}")


async def _remove(settings: Config, channel: str) -> None:
    store = await open_store(settings)
    try:
        await make_channels(settings, store, SystemClock()).remove(channel)
    finally:
        await store.close()


@products_app.command("import", epilog="Example: vitrine products import tea.csv --channel tea")
def products_import(
    file: Annotated[Path, typer.Argument(help="CSV or JSON.")],
    channel: Annotated[str, typer.Option("--channel", metavar="ID", help="Where they are sold.")],
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Import products; good rows go in, each bad one is named with its line (exit status 1)."""
    with one_line_errors():
        kind = format_of(file.name)
        if kind is None:
            known = ", ".join(item.value for item in Format)
            raise Invalid(Problem(file.name, f"the name must end in one of {known}"))
        settings = _settings(config, data_dir)
        done = run(_import(settings, channel, file.read_bytes(), kind, file.resolve().parent))
        rejected = done["rejected"]
        if as_json:
            show_json(done)
        else:
            typer.echo(f"imported {done['imported']}, updated {done['updated']}")
        if isinstance(rejected, list) and rejected:
            complain(*(f"{file.name}:{item['line']}: {item['reason']}" for item in rejected))
            raise typer.Exit(FAILED)


async def _import(
    settings: Config, channel: str, data: bytes, kind: Format, folder: Path
) -> dict[str, object]:
    store = await open_store(settings)
    shop = make_offline_shop(settings, store, SystemClock())
    try:
        done = await shop.import_feed(channel, data, kind, "operator", folder)
    finally:
        await shop.close()
        await store.close()
    rejected = [{"line": item.line, "reason": item.reason} for item in done.rejected]
    return {
        "imported": done.imported,
        "updated": done.updated,
        "unchanged": done.unchanged,
        "rejected": rejected,
    }


def _settings(
    config: Path | None,
    data_dir: Path | None,
    host: str | None = None,
    http_port: int | None = None,
    rtmp_port: int | None = None,
) -> Config:
    overrides: dict[str, object] = {
        "server.data_dir": None if data_dir is None else str(data_dir),
        "server.host": host,
        "server.http_port": http_port,
        "server.rtmp_port": rtmp_port,
    }
    return read_config(config, overrides, dict(os.environ))


def main() -> None:
    app(prog_name="vitrine")


if __name__ == "__main__":
    main()
