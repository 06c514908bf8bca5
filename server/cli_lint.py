"""`vitrine lint`: is what a live stream serves what players may trust?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from server.lint.client import Trust
from server.lint.fetch import LintError
from server.lint.notes import Outcome, Verdict
from server.lint.run import Progress, Report, lint
from server.options import AsJson
from server.terminal import FAILED, commands, complain, run, show_json

app = commands()
UNUSABLE = 2
"""Exit status when there was nothing to judge."""
SHOWN_FAULTS = 5
_MARKS = {Outcome.KEPT: "pass", Outcome.BROKEN: "FAIL", Outcome.NOT_SEEN: " -  "}


@app.command("lint", epilog="Example: vitrine lint http://localhost:8080/live/demo/index.m3u8")
def lint_command(
    url: Annotated[str, typer.Argument(metavar="URL", help="Of a live playlist, http or https.")],
    seconds: Annotated[
        float, typer.Option(min=1, max=86_400, help="Watch for so many seconds.")
    ] = 20,
    insecure: Annotated[bool, typer.Option("--insecure", help="Take any TLS certificate.")] = False,
    ca: Annotated[
        Path | None, typer.Option(help="A file (PEM) of TLS authorities to trust instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Watch a live low-latency HLS stream from outside and judge it rule by rule.

    All renditions are followed as players do, one viewer's requests for each. Exit status: 0 when
    no rule is broken, 1 when one is, 2 when there is no live stream to look at.
    """
    tell = _tell if sys.stderr.isatty() and not as_json else None
    try:
        report = run(lint(url, seconds, tell, trust=Trust(insecure, ca)))
    except LintError as error:
        complain(str(error))
        raise typer.Exit(UNUSABLE) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    finally:
        if tell is not None:
            typer.echo("\r\x1b[K", err=True, nl=False)
    broken = [verdict for verdict in report.verdicts if verdict.outcome is Outcome.BROKEN]
    if as_json:
        show_json(as_values(report))
    else:
        for line in lines(report):
            typer.echo(_printable(line))
    if broken:
        raise typer.Exit(FAILED)


def lines(report: Report) -> list[str]:
    """Write a report for people."""
    told = [
        f"{report.url}: {report.seconds:.0f} s,"
        f" {report.requests} requests by {' and '.join(report.protocols)},"
        f" {len(report.renditions)} renditions ({', '.join(report.renditions)})"
    ]
    for verdict in report.verdicts:
        told.append(f"{_MARKS[verdict.outcome]} {verdict.rule.number:2}  {verdict.rule.title}")
        told += [f"         {line}" for line in _evidence(verdict)]
    broken = sum(verdict.outcome is Outcome.BROKEN for verdict in report.verdicts)
    told.append(f"{broken} of {len(report.verdicts)} rules are broken." if broken else "Clean.")
    return told


def as_values(report: Report) -> dict[str, object]:
    """Write a report for programs."""
    return {
        "url": report.url,
        "seconds": round(report.seconds, 1),
        "requests": report.requests,
        "protocols": list(report.protocols),
        "renditions": list(report.renditions),
        "clean": all(verdict.outcome is not Outcome.BROKEN for verdict in report.verdicts),
        "rules": [
            {
                "rule": verdict.rule.number,
                "title": verdict.rule.title,
                "outcome": verdict.outcome,
                "seen": dict(verdict.seen),
                "faults": [
                    {"what": fault.what, "where": fault.where, "times": fault.times}
                    for fault in verdict.faults
                ],
                "why_not": verdict.why_not,
                "advice": verdict.rule.advice,
            }
            for verdict in report.verdicts
        ],
    }


def _evidence(verdict: Verdict) -> list[str]:
    match verdict.outcome:
        case Outcome.NOT_SEEN:
            return [f"not seen: {verdict.why_not}" if verdict.why_not else "not seen"]
        case Outcome.KEPT:
            return [", ".join(f"{count} {what}" for what, count in verdict.seen)]
    told = [
        f"{fault.what} ({fault.where}{f'; {fault.times} times' if fault.times > 1 else ''})"
        for fault in verdict.faults[:SHOWN_FAULTS]
    ]
    more = len(verdict.faults) - SHOWN_FAULTS
    return [*told, *([f"and {more} more kinds"] if more > 0 else []), f"-> {verdict.rule.advice}"]


def _printable(line: str) -> str:
    """Take out what a server's own words could do to a terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)


def _tell(now: Progress) -> None:
    text = f"\r\x1b[K{now.seconds:4.0f} s  {now.requests} requests  {now.broken} rules broken"
    typer.echo(text, err=True, nl=False)
