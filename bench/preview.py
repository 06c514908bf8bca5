"""How late the studio's preview is: a picture sent by WHIP to the same picture decoded, by WHEP.

The reference is the same sender and the same viewer without a server between them: what WebRTC
itself costs on this machine. The server runs its ladder meanwhile, as ever.
Run from the repository's root: python -m bench.preview
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import aiohttp

from bench.report import BenchError, Bound, Effort, Goal, Row, alone, median, note, quantile
from tests.helpers.eventually import eventually
from tests.helpers.time_code import RATE
from tests.helpers.vitrine_server import VitrineServer, calling, serving
from tests.helpers.whep_viewer import Viewer
from tests.helpers.whip_publisher import Encoded, Sender, WhipPublisher, encode

GOAL = Goal(Bound.AT_MOST, 0.5)
SETTLE_PICTURES = 2 * RATE
LIVE_SECONDS = 60.0


def measure(effort: Effort) -> list[Row]:
    """Measure glass to decoder without the glass. Raises BenchError."""
    with tempfile.TemporaryDirectory(prefix="vitrine-bench-") as folder:
        with serving(Path(folder)) as server:
            return asyncio.run(_measure(server, effort))


async def _measure(server: VitrineServer, effort: Effort) -> list[Row]:
    seconds = effort.watch_seconds // 2
    encoded = await asyncio.to_thread(encode, "H264", seconds + 20)
    try:
        direct = await _direct(encoded, seconds * RATE)
        note(f"preview: {_told(direct)} without a server")
        first, ours = await _ours(server, encoded, seconds * RATE)
        note(f"preview: {_told(ours)} through ours")
    except TimeoutError as error:
        raise BenchError("preview: no pictures came in time") from error
    what = "720p30 H.264 by WHIP and WHEP, ladder on"
    return [
        Row("preview p50", median(ours), "s", what, GOAL),
        Row("preview p95", quantile(ours, 0.95), "s", what, GOAL),
        Row("preview added", median(ours) - median(direct), "s", "p50 without a server"),
        Row("preview first picture", first, "s", "offer to decoded, between two keyframes"),
    ]


async def _direct(encoded: Encoded, pictures: int) -> list[float]:
    sender, viewer = Sender(encoded), Viewer()
    try:
        offer = await sender.offer()
        began = time.monotonic() + 0.1
        await sender.take(await viewer.answer(offer))
        return await _late(viewer, sender.began or began, pictures)
    finally:
        await viewer.close()
        await sender.close()


async def _ours(
    server: VitrineServer, encoded: Encoded, pictures: int
) -> tuple[float, list[float]]:
    sender, viewer = Sender(encoded), Viewer()
    async with aiohttp.ClientSession() as session, calling(server) as api:
        made = await api.add_channel("preview")
        publisher = WhipPublisher(session, f"{server.url}/whip/preview", made.stream_key, sender)
        try:
            await publisher.publish()
            await api.until_state("preview", "live", LIVE_SECONDS)
            asked = time.monotonic()
            headers = {
                "Authorization": f"Bearer {made.anchor_token}", "Content-Type": "application/sdp",
            }  # fmt: skip
            url, offer = f"{server.url}/whep/preview", await viewer.offer()
            async with session.post(url, data=offer, headers=headers) as answer:
                if answer.status != 201:
                    raise BenchError(f"preview: WHEP answered {await answer.text()}")
                await viewer.take(await answer.text())
            late = await _late(viewer, sender.began or 0.0, pictures)
            return viewer.seen[0].at - asked, late
        finally:
            await viewer.close()
            await publisher.cut()


async def _late(viewer: Viewer, began: float, pictures: int) -> list[float]:
    """Give each picture's delay once the beginning is over, in seconds."""
    wanted = SETTLE_PICTURES + pictures
    await eventually(lambda: len(viewer.seen) >= wanted, wanted / RATE + 60)
    return [seen.at - began - seen.number / RATE for seen in viewer.seen[SETTLE_PICTURES:wanted]]


def _told(late: list[float]) -> str:
    return f"p50 {median(late) * 1000:.0f} ms, p95 {quantile(late, 0.95) * 1000:.0f} ms late"


if __name__ == "__main__":
    alone(measure)
