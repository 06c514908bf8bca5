"""The command `vitrine`. Each command is a module of its own, imported when it is asked for.

A server's imports take seconds; who adds a channel shall not wait for them.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, ClassVar

import typer
from typer.core import TyperGroup


class Commands(TyperGroup):
    """`vitrine NAME` is the application `app` of `server/cli_NAME.py`."""

    names: ClassVar = (
        "serve", "demo", "check", "push", "channel", "products", "recording", "playback", "lint",
    )  # fmt: skip

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.names)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.names:
            return None
        return typer.main.get_command(import_module(f"server.cli_{cmd_name}").app)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A live streaming server whose picture sells.",
    epilog="Begin with: vitrine demo",
)


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


def main() -> None:
    app(prog_name="vitrine")


if __name__ == "__main__":
    main()
