"""`vitrine lint` as a command: what it prints and how it ends."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from aiohttp import web

from server.cli_lint import as_values, lines
from server.lint.client import Trust
from server.lint.fetch import LintError
from server.lint.run import Progress, lint
from tests.server.lint.origin import Vice, serving
from tests.server.lint.vices import VICES, answering

SECONDS = 3


async def test_a_report_tells_each_rule_with_its_evidence_and_what_to_do() -> None:
    told: list[Progress] = []
    async with serving(VICES[4, "two parts are held back"]) as (origin, url):
        report = await lint(url, SECONDS, told.append, clocks=origin.clocks)
    text = "\n".join(lines(report))
    assert "FAIL  4  hold-backs" in text
    assert "PART-HOLD-BACK is 0.5 s at a part target of 0.25 s" in text
    assert "-> PART-HOLD-BACK >= 3 x PART-TARGET" in text
    assert "pass  1  the target duration" in text
    assert text.endswith("1 of 18 rules are broken.")
    values = json.loads(json.dumps(as_values(report)))
    assert not values["clean"]
    assert [rule["rule"] for rule in values["rules"] if rule["faults"]] == [4]


async def test_a_single_media_playlist_can_be_judged_too() -> None:
    async with serving(Vice()) as (origin, url):
        media = url.replace("index.m3u8", "90p/index.m3u8")
        report = await lint(media, SECONDS, clocks=origin.clocks)
    assert [v.rule.number for v in report.verdicts if v.faults] == []
    assert report.renditions == ("stream",)


async def test_no_stream_is_an_error_of_one_line() -> None:
    async with serving(Vice()) as (origin, url):
        for wrong in ("ftp://x/y", url.replace("show", "none"), url.replace("index", "other")):
            with pytest.raises(LintError) as error:
                await lint(wrong, SECONDS, clocks=origin.clocks)
            assert "\n" not in str(error.value)
    with pytest.raises(LintError):
        await lint(url, SECONDS)


async def test_a_stream_that_was_over_before_is_not_judged() -> None:
    def end(_: web.Request, text: str) -> str:
        lines = [line for line in text.splitlines() if "SERVER-CONTROL" not in line]
        return "\n".join([*lines, *([] if "STREAM-INF" in text else ["#EXT-X-ENDLIST"])]) + "\n"

    async with serving(Vice(text=end)) as (origin, url):
        with pytest.raises(LintError, match=r"the stream has ended \(EXT-X-ENDLIST\)"):
            await lint(url, SECONDS, clocks=origin.clocks)


@pytest.mark.parametrize("text", [None, "no certificate"])
async def test_authorities_that_cannot_be_read_are_an_error(
    tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(LintError, match=r"ca\.pem: ") as error:
        await lint("https://127.0.0.1:9/live/x/index.m3u8", 1, trust=Trust(ca=file))
    assert "\n" not in str(error.value)


async def test_a_media_playlist_that_is_not_there_is_an_error() -> None:
    vice = Vice(reply=answering(404, "60p/index"))
    async with serving(vice) as (origin, url):
        with pytest.raises(LintError, match=r"60p/index\.m3u8 answers 404"):
            await lint(url, SECONDS, clocks=origin.clocks)


async def test_a_server_that_dies_meanwhile_is_a_broken_rule_and_not_the_end() -> None:
    asked = [0]

    def die(_: web.Request, answer: web.Response) -> web.Response:
        asked[0] += 1
        return answer if asked[0] < 60 else web.Response(status=502)

    async with serving(Vice(reply=die)) as (origin, url):
        report = await lint(url, SECONDS, clocks=origin.clocks)
    faults = [fault.what for verdict in report.verdicts for fault in verdict.faults]
    assert "a playlist did not come" in faults
    assert report.seconds > 0


async def test_the_command_ends_with_2_when_there_is_nothing_to_judge() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", "lint", "http://127.0.0.1:9/live/x/index.m3u8",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, errors = await asyncio.wait_for(process.communicate(), 50)
    assert process.returncode == 2
    assert errors.decode().startswith("vitrine: http://127.0.0.1:9/")
    assert errors.count(b"\n") == 1
