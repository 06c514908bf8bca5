"""`vitrine products`: the catalogue filled from files, beside a running server or without one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.clock import SystemClock
from server.config import Config
from server.data import make_offline_shop, open_store
from server.errors import Invalid, Problem
from server.options import AsJson, ConfigFile, DataDir, settings
from server.shop.feeds import Format, format_of
from server.shop.service import Imported
from server.terminal import FAILED, complain, one_line_errors, run, show_json

app = typer.Typer(no_args_is_help=True, help="Products: import.")


@app.command("import", epilog="Example: vitrine products import tea.csv --channel tea")
def import_products(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON, by its name's end.")],
    channel: Annotated[str, typer.Option("--channel", metavar="ID", help="Where they are sold.")],
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Import products from CSV (apart by comma, semicolon or tab) or JSON, in UTF-8.

    \b
    id,title,price,currency,image,url
    cup,Tea cup,12.90,EUR,pictures/cup.jpg,https://shop.example/cup
    pot,Tea pot,49,EUR,https://shop.example/pot.jpg,https://shop.example/pot

    A price is in major units beside its currency, or with it: `12.90 EUR`. docs/feeds.md has all
    columns, and JSON.

    Good rows go in; each bad one is told with its reason (exit status 1): in CSV by its `line N`,
    the header being 1, in JSON by its `item N`, the first being 1.

    Pages that are open already show them when they are loaded again. A product that is on show
    keeps its card until it is pinned again.
    """
    with one_line_errors():
        kind = format_of(file.name)
        if kind is None:
            known = ", ".join(item.value for item in Format)
            raise Invalid(Problem(file.name, f"the name must end in one of {known}"))
        given, data = settings(config, data_dir), file.read_bytes()
        done = run(_import(given, channel, data, kind, file.resolve().parent))
        rejected = [{"line": item.line, "reason": item.reason} for item in done.rejected]
        if as_json:
            show_json(
                {
                    "imported": done.imported,
                    "updated": done.updated,
                    "unchanged": done.unchanged,
                    "rejected": rejected,
                }
            )
        else:
            typer.echo(f"imported {done.imported}, updated {done.updated}")
        if rejected:
            complain(
                *(f"{file.name}: {kind.place} {item.line}: {item.reason}" for item in done.rejected)
            )
            raise typer.Exit(FAILED)


async def _import(
    config: Config, channel: str, data: bytes, kind: Format, folder: Path
) -> Imported:
    store = await open_store(config, make=False)
    shop = make_offline_shop(config, store, SystemClock())
    try:
        return await shop.import_feed(channel, data, kind, "operator", folder)
    finally:
        await shop.close()
        await store.close()
