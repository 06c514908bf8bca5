"""`vitrine lint` on a real broadcast: with pins, and across the loss of its encoder.

Straight, and through nginx as it is shipped, over HTTP/2.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from bench.serving import free_port
from server.lint.client import Trust
from server.lint.notes import Outcome
from server.lint.run import Report, lint
from tests.helpers.front import nginx
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


async def test_a_broadcast_with_pins_is_clean_across_a_reconnect(api: Api, tmp_path: Path) -> None:
    made = await api.add_channel("lint")
    await api.put_product(
        made.id, "cup", title="Tasting cup", price={"amount": 1290, "currency": "EUR"}
    )
    command = ffmpeg_size(f"{api.server.rtmp}/{made.stream_key}", 640, 360)
    path = f"/live/{made.id}/index.m3u8"
    async with nginx(tmp_path, (free_port(), free_port()), api.server.http_port) as front:
        url, ca = f"https://127.0.0.1:{front.port}{path}", front.certificate
        async with sending(*command) as first:
            await api.until_state(made.id, "live", LIVE_SECONDS)
            watching = asyncio.gather(
                lint(f"{api.server.url}{path}", 20), lint(url, 20, trust=Trust(ca=ca))
            )
            pin = await api.pin(made.id, "cup")
            await api.until(lambda found: found[pin["id"]]["exact"], lambda: api.intervals(made.id))
            first.kill()
            await first.wait()
        async with sending(*command):
            await api.until_state(made.id, "live", LIVE_SECONDS)
            reports = await watching
            await api.unpin(made.id, pin["id"])
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "server", "lint", url,
                "--seconds", "3", "--json", "--ca", str(ca),
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            out, _ = await asyncio.wait_for(process.communicate(), 60)
    await api.end_show(made.id)
    assert [report.protocols for report in reports] == [("HTTP/1.1",), ("HTTP/2",)]
    for report in reports:
        assert broken(report) == {}
        assert dict(report.verdicts[15].seen)["date range tags"] > 0
        assert dict(report.verdicts[9].seen)["discontinuities"] > 0
    assert dict(reports[1].verdicts[14].seen)["HTTP/2"] == 1
    told = json.loads(out)
    assert told["clean"], json.dumps([rule for rule in told["rules"] if rule["faults"]], indent=1)
    assert told["protocols"] == ["HTTP/2"]
    assert process.returncode == 0
