"""`vitrine lint` on a real broadcast: with pins, and across the loss of its encoder."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from server.lint.notes import Outcome
from server.lint.run import Report, lint
from tests.helpers.senders import ffmpeg_size, sending
from tests.helpers.vitrine_server import Api

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]

LIVE_SECONDS = 90.0


def broken(report: Report) -> dict[int, object]:
    return {v.rule.number: v.faults for v in report.verdicts if v.outcome is Outcome.BROKEN}


async def test_a_broadcast_with_pins_is_clean_across_a_reconnect(api: Api) -> None:
    made = await api.add_channel("lint")
    await api.put_product(
        made.id, "cup", title="Tasting cup", price={"amount": 1290, "currency": "EUR"}
    )
    command = ffmpeg_size(f"{api.server.rtmp}/{made.stream_key}", 640, 360)
    url = f"{api.server.url}/live/{made.id}/index.m3u8"
    async with sending(*command) as first:
        await api.until_state(made.id, "live", LIVE_SECONDS)
        watching = asyncio.create_task(lint(url, 20))
        pin = await api.pin(made.id, "cup")
        await api.until(lambda found: found[pin["id"]]["exact"], lambda: api.intervals(made.id))
        first.kill()
        await first.wait()
    async with sending(*command):
        await api.until_state(made.id, "live", LIVE_SECONDS)
        report = await watching
        await api.unpin(made.id, pin["id"])
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server", "lint", url, "--seconds", "3", "--json",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), 60)
    await api.end_show(made.id)
    assert broken(report) == {}
    assert dict(report.verdicts[15].seen)["date range tags"] > 0
    assert dict(report.verdicts[9].seen)["discontinuities"] > 0
    told = json.loads(out)
    assert told["clean"], [rule for rule in told["rules"] if rule["faults"]]
    assert process.returncode == 0
