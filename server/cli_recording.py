"""`vitrine recording`: listed, held, removed, beside a running server or without one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from server.clock import SystemClock
from server.config import Config
from server.data import open_store
from server.errors import Conflict, Invalid, Problem
from server.http.sessions import session_document
from server.instant import rfc3339
from server.options import AsJson, ConfigFile, DataDir, settings
from server.record.catalogue import Entry, Hold
from server.record.service import Recordings
from server.terminal import one_line_errors, run, show_json, show_table

ACTOR = "command line"
MOST = 500
MOST_REASON = 500
ChannelId = Annotated[str, typer.Argument(metavar="CHANNEL")]
SessionId = Annotated[str, typer.Argument(metavar="SESSION", help="As `list` has it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the log.")]
Result = TypeVar("Result")

app = typer.Typer(no_args_is_help=True, help="Recordings: list, hold, release, remove, log.")


@app.command("list", epilog="Example: vitrine recording list tea --json")
def show(
    channel: Annotated[str | None, typer.Argument(metavar="CHANNEL", help="[all]")] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List recordings, newest first: when they were made, what they take, who holds them."""
    with one_line_errors():
        rows = _on_recordings(settings(config, data_dir), lambda it: _documents(it, channel))
        if as_json:
            show_json(rows)
            return
        names = ("CHANNEL", "SESSION", "BEGAN", "SECONDS", "BYTES", "GAPS", "EXPIRES")
        show_table(names, [_row(row) for row in rows])


@app.command(epilog='Example: vitrine recording hold tea 01J... --reason "order 12345 disputed"')
def hold(
    channel: ChannelId,
    session: SessionId,
    reason: Reason,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Put a legal hold on a recording: nothing removes it while that stands."""
    with one_line_errors():
        _set_hold(settings(config, data_dir), (channel, session), reason, True, as_json)


@app.command(epilog='Example: vitrine recording release tea 01J... --reason "settled"')
def release(
    channel: ChannelId,
    session: SessionId,
    reason: Reason,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """End a legal hold; the recording goes when its time is over, which may be at once."""
    with one_line_errors():
        _set_hold(settings(config, data_dir), (channel, session), reason, False, as_json)


@app.command(epilog="Example: vitrine recording remove tea 01J...")
def remove(
    channel: ChannelId,
    session: SessionId,
    reason: Reason = "removed by request",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove a recording for good, its copy in an object store too; not one that is held."""
    with one_line_errors():
        given = settings(config, data_dir)
        why = _checked(reason)
        _on_recordings(given, lambda it: it.retention.remove(channel, session, ACTOR, why))
        if as_json:
            show_json({"channel": channel, "session": session, "removed": True})
        else:
            typer.echo(f"removed {channel}/{session}")


@app.command("log", epilog="Example: vitrine recording log tea --json")
def log_command(
    channel: Annotated[str | None, typer.Argument(metavar="CHANNEL", help="[all]")] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what was recorded, held, released and removed, when, by whom and why."""
    with one_line_errors():
        lines = _on_recordings(settings(config, data_dir), lambda it: _log(it, channel))
        if as_json:
            show_json(lines)
            return
        names = ("at", "channel", "session", "deed", "actor", "reason")
        show_table(
            tuple(name.upper() for name in names),
            [tuple(str(each[name]) for name in names) for each in lines],
        )


async def _documents(recordings: Recordings, channel: str | None) -> list[dict[str, object]]:
    found: list[Entry] = []
    after: str | None = None
    while page := await recordings.catalogue.page(channel, after, MOST):
        found += page
        after = page[-1].session
    expires = recordings.retention.expires_ms
    return [session_document(entry, expires(entry)) for entry in found]


async def _log(recordings: Recordings, channel: str | None) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    after = 0
    while page := await recordings.catalogue.log(channel, after, MOST):
        after = page[-1].seq
        found += [
            {
                "at": rfc3339(each.at_ms),
                "channel": each.channel,
                "session": each.session,
                "deed": each.deed.value,
                "actor": each.actor,
                "reason": each.reason,
            }
            for each in page
        ]
    return found


def _row(row: dict[str, object]) -> tuple[str, ...]:
    state = "held" if row["hold"] else row["expires_at"] or "never"
    if row["state"] == "live":
        state = "on the air"
    names = ("channel", "id", "started_at", "duration_seconds", "bytes", "gaps")
    return (*(str(row[name]) for name in names), str(state))


def _set_hold(config: Config, names: tuple[str, str], reason: str, on: bool, as_json: bool) -> None:
    by = Hold(_checked(reason), ACTOR, SystemClock().wall_ms())

    async def act(recordings: Recordings) -> Entry:
        catalogue = recordings.catalogue
        if not await (catalogue.hold if on else catalogue.release)(*names, by):
            await recordings.library.entry(*names)  # NotFound
            raise Conflict("removing", "It is being removed already.")
        return await recordings.library.entry(*names)

    entry = _on_recordings(config, act)
    if as_json:
        show_json(session_document(entry, None))
    else:
        said = "is held" if on else "is held no longer"
        typer.echo(f"{names[0]}/{names[1]} {said}")


def _checked(reason: str) -> str:
    """Check a reason. Raises Invalid."""
    reason = reason.strip()
    if not 1 <= len(reason) <= MOST_REASON:
        raise Invalid(Problem("--reason", f"must have 1 to {MOST_REASON} characters"))
    return reason


def _on_recordings(config: Config, act: Callable[[Recordings], Awaitable[Result]]) -> Result:
    async def work() -> Result:
        store = await open_store(config, make=False)
        recordings = Recordings(config, store, store.recordings, SystemClock())
        try:
            return await act(recordings)
        finally:
            await recordings.storage.close()
            await store.close()

    return run(work())
