"""`vitrine recording`: listed, held, removed, beside a running server or without one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from server.cli_store import on_store
from server.clock import SystemClock
from server.config import Config
from server.errors import Invalid, Problem
from server.http.sessions import session_document
from server.instant import rfc3339
from server.options import AsJson, ConfigFile, DataDir, settings
from server.record.catalogue import Entry, Hold
from server.record.service import Recordings
from server.store.sqlite import SqliteStore
from server.terminal import commands, one_line_errors, show_json, show_table

ACTOR = "command line"
MOST = 500
MOST_REASON = 500
ChannelId = Annotated[
    str, typer.Argument(metavar="CHANNEL", help="Its id; the channel itself may be gone.")
]
OneOrAll = Annotated[
    str | None, typer.Argument(metavar="CHANNEL", help="Only of this channel [of all].")
]
SessionId = Annotated[
    str, typer.Argument(metavar="SESSION", help="Its id, as `recording list` has it.")
]
Reason = Annotated[
    str, typer.Option("--reason", help="Why, 1 to 500 characters; it is kept in the log.")
]
Result = TypeVar("Result")

app = commands("Recordings: list, hold, release, remove, log.")


@app.command("list", epilog="Example: vitrine recording list tea --json")
def show(
    channel: OneOrAll = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List recordings, newest first: when they began, what they take, when they expire.

    SECONDS is what a replay plays, and BYTES what it takes, both 0 until it has ended; GAPS are
    segments that were not recorded. Times are UTC.
    """
    with one_line_errors():
        rows = _on_recordings(settings(config, data_dir), lambda it: _documents(it, channel))
        if as_json:
            show_json(rows)
            return
        names = ("CHANNEL", "SESSION", "BEGAN", "SECONDS", "BYTES", "GAPS", "EXPIRES")
        show_table(names, [_row(row) for row in rows])


def _hold_command(held: bool) -> Callable[..., None]:
    def command(
        channel: ChannelId,
        session: SessionId,
        reason: Reason,
        config: ConfigFile = None,
        data_dir: DataDir = None,
        as_json: AsJson = False,
    ) -> None:
        with one_line_errors():
            by = Hold(_checked(reason), ACTOR, SystemClock().wall_ms())
            document = _on_recordings(
                settings(config, data_dir), lambda it: _set_hold(it, channel, session, by, held)
            )
            if as_json:
                show_json(document)
            else:
                typer.echo(f"{channel}/{session} is held{'' if held else ' no longer'}")

    return command


app.command(
    "hold",
    help="Put a legal hold on a recording: nothing removes it while that stands.",
    epilog='Example: vitrine recording hold tea 01J... --reason "order 12345 disputed"',
)(_hold_command(held=True))
app.command(
    "release",
    help="End a legal hold; the recording goes when its time is over, which may be at once.",
    epilog='Example: vitrine recording release tea 01J... --reason "settled"',
)(_hold_command(held=False))


@app.command(epilog="Example: vitrine recording remove tea 01J...")
def remove(
    channel: ChannelId,
    session: SessionId,
    reason: Reason = "removed by request",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove a recording for good, its copy in an object store too; not one that is held.

    Caches before the server may give for up to an hour what they have of it, of its live playlist
    for longer: docs/recording.md, "Removed for good", says how to empty them.
    """
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
    channel: OneOrAll = None,
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
    # Figures are kept when a show ends; none are known of one that goes on.
    unknown = ("duration_seconds", "bytes") if row["state"] == "live" else ()
    cells = ("-" if name in unknown and not row[name] else str(row[name]) for name in names)
    return (*cells, str(state))


async def _set_hold(
    recordings: Recordings, channel: str, session: str, by: Hold, held: bool
) -> dict[str, object]:
    entry = await recordings.library.set_hold(channel, session, by, held=held)
    return session_document(entry, recordings.retention.expires_ms(entry))


def _checked(reason: str) -> str:
    """Check a reason. Raises Invalid."""
    reason = reason.strip()
    if not 1 <= len(reason) <= MOST_REASON:
        raise Invalid(Problem("--reason", f"must have 1 to {MOST_REASON} characters"))
    return reason


def _on_recordings(config: Config, act: Callable[[Recordings], Awaitable[Result]]) -> Result:
    async def work(store: SqliteStore) -> Result:
        recordings = Recordings(config, store, store.recordings, SystemClock())
        try:
            return await act(recordings)
        finally:
            await recordings.storage.close()

    return on_store(config, work)
