"""`vitrine demo`: a server, a channel that sells, an anchor that never tires, a show."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import webbrowser
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
import typer

from overlay.scene import Money
from server.address import rtmp_address, site_address
from server.app import Vitrine
from server.config import Config
from server.demo.darkroom import PRINTS
from server.demo.goods import GOODS, Good
from server.demo.show import run_show
from server.errors import NotFound
from server.live.registry import Registry
from server.serve import until_signalled
from server.shop.catalogue import Product
from server.shop.draft import Draft

CHANNEL = "demo"
TITLE = "Evening table, live"
_ACTOR = "demo"
_ROOT = Path(__file__).resolve().parents[2]
_END_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
_GLANCE_SECONDS = 0.5
_LOST = "The demo's anchor lost its connection"
"""As `server.demo.anchor` says it, whose libraries are not for this process."""


@dataclass(frozen=True, slots=True)
class Keys:
    stream_key: str
    anchor_token: str


async def perform(config: Config, environment: Mapping[str, str], browser: bool) -> None:
    """Run the demo until SIGTERM or SIGINT. Raises OSError, ValueError as `start` does."""
    told = until_signalled()
    server = Vitrine(config, environment)
    await server.start()
    folder = config.server.data_dir / "demo"
    tasks: list[asyncio.Task[None]] = []
    try:
        keys = await _keys(server, folder / "keys.json")
        await _stock(server)
        local = f"rtmp://127.0.0.1:{server.rtmp.port}/live/{keys.stream_key}"
        tasks = [
            asyncio.create_task(run_show(server.shop, server.registry, CHANNEL)),
            asyncio.create_task(_keep_anchor(local, server.registry, told)),
        ]
        watch = _tell(config, server, keys)
        if browser and _has_desktop(environment):
            await asyncio.to_thread(webbrowser.open, watch)
        await told.wait()
    finally:
        told.set()
        if tasks:
            tasks[0].cancel()
        # The anchor stays until the server lets it go: its broadcast ends as any other would.
        await server.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keys(server: Vitrine, file: Path) -> Keys:
    """Make the channel, or find the keys that an earlier demo kept; new ones if they are stale."""
    try:
        await server.channels.get(CHANNEL)
    except NotFound:
        made = await server.channels.add(CHANNEL, TITLE)
        keys = Keys(made.stream_key, made.anchor_token)
        await asyncio.to_thread(_keep, file, keys)
        return keys
    kept = await asyncio.to_thread(_kept, file)
    if kept is not None:
        by_key = await server.channels.by_stream_key(kept.stream_key, "demo")
        by_token = await server.channels.by_anchor_token(kept.anchor_token)
        if by_key and by_token and by_key.id == by_token.id == CHANNEL:
            return kept
    keys = Keys(
        await server.channels.rotate_key(CHANNEL),
        await server.channels.rotate_anchor_token(CHANNEL),
    )
    await asyncio.to_thread(_keep, file, keys)
    return keys


def _keep(file: Path, keys: Keys) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump({"stream_key": keys.stream_key, "anchor_token": keys.anchor_token}, out)


def _kept(file: Path) -> Keys | None:
    try:
        kept = json.loads(file.read_text("utf-8"))
        return Keys(str(kept["stream_key"]), str(kept["anchor_token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


async def _stock(server: Vitrine) -> None:
    """Put the sample products with their pictures; those that are there already stay."""
    for good in GOODS:
        picture = await asyncio.to_thread((PRINTS / f"{good.id}.jpg").read_bytes)
        await server.shop.put_product(CHANNEL, Draft(_product(good), picture), _ACTOR)


def _product(good: Good) -> Product:
    return Product(
        id=good.id,
        title=good.title,
        description=good.description,
        brand="Vitrine samples",
        price=Money(good.price, "EUR"),
        sale_price=None if good.sale_price is None else Money(good.sale_price, "EUR"),
        stock=good.stock,
        link=f"https://shop.example/{good.id}",
    )


async def _keep_anchor(url: str, registry: Registry, told: asyncio.Event) -> None:
    """Keep an anchor on the air; one that falls is replaced, at first at once.

    Whoever takes over from it has the stage until their show is over.
    """
    log = structlog.get_logger("demo")
    pause = 1.0
    while not told.is_set():
        process = await _spawn("server.demo.anchor", "-")
        heard = asyncio.create_task(_hear(process, told))
        began = asyncio.get_running_loop().time()
        try:
            if process.stdin is not None:
                process.stdin.write(f"{url}\n".encode())
                with suppress(ConnectionError):
                    await process.stdin.drain()
            status = await process.wait()
        finally:
            await _end(process)
            await asyncio.gather(heard, return_exceptions=True)
        if told.is_set():
            return
        if registry.is_fed(CHANNEL):
            log.info("you are on the air; the demo's anchor comes back after your show")
            await _until_over(registry)
            pause = 1.0
            continue
        if asyncio.get_running_loop().time() - began > 2 * _LONGEST_PAUSE:
            pause = 1.0
        kept_off = registry.stops.kept_off(CHANNEL)
        if kept_off is not None:
            # A try before the time is over would make it longer.
            log.info(
                "the broadcast was ended; the demo's anchor comes back", after=kept_off.seconds + 1
            )
            await asyncio.sleep(kept_off.seconds + 1)
            pause = 1.0
            continue
        log.warning("the demo's anchor stopped; starting another", status=status, after=pause)
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 2)


async def _hear(process: Process, told: asyncio.Event) -> None:
    """Say what an anchor says; that its connection is lost is no news when the server ends it."""
    if process.stderr is None:
        return
    async for line in process.stderr:
        said = line.decode(errors="replace")
        if not (told.is_set() and said.startswith(_LOST)):
            sys.stderr.write(said)
            sys.stderr.flush()


async def _until_over(registry: Registry) -> None:
    while True:
        await asyncio.sleep(_GLANCE_SECONDS)
        if registry.state(CHANNEL).state == "offline":
            return


async def _spawn(module: str, *arguments: str) -> Process:
    """Start a module of ours in a process that ends when we do."""
    path = os.pathsep.join(p for p in (str(_ROOT), os.environ.get("PYTHONPATH", "")) if p)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        stdin=PIPE,
        stderr=PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    if process.stdin is not None:
        process.stdin.close()
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _tell(config: Config, server: Vitrine, keys: Keys) -> str:
    """Print where everything is; returns the page to open."""
    watch = site_address(config, f"/watch/{CHANNEL}", server.http_port)
    studio = site_address(config, f"/studio/{CHANNEL}", server.http_port)
    secrets = f"token={keys.anchor_token}&key={keys.stream_key}"
    lines = (
        ("watch", watch),
        ("studio", f"{studio}#{secrets}"),
        ("RTMP", rtmp_address(config, server.rtmp.port)),
        ("key", keys.stream_key),
        ("operator", f"{site_address(config, '/ops', server.http_port)}  (token: "
                     f"{config.server.data_dir / 'admin-token'})"),
    )  # fmt: skip
    typer.echo("\nThe demo is on. Stream to it yourself to take over from the anchor.\n")
    for name, value in lines:
        typer.echo(f"  {name:9} {value}")
    typer.echo("\nCtrl-C ends it.\n")
    return watch


def _has_desktop(environment: Mapping[str, str]) -> bool:
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
