"""`vitrine check`: is the configuration good?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from server.config import warnings
from server.encoders import try_encoders
from server.terminal import commands, one_line_errors, read_config, warn

app = commands()


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
