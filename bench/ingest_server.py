"""The whole web process, with workers that do not transcode: `bench.discard`, or another.

    python -m bench.ingest_server FOLDER CHANNELS [WORKER]

Tells its ports and the channels' stream keys in one line of JSON, what was dropped so far
in one more for each line that it is sent, and serves until its input ends. All but the worker is
what `vitrine serve` runs, its event loop included.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from server import log
from server.app import Vitrine
from server.config import Config, load
from server.serve import open_many_files, settle
from server.terminal import run
from transcode import process

DISCARD = "bench.discard"


async def serve(config: Config, channels: int) -> None:
    """Serve until standard input ends."""
    vitrine = Vitrine(config, {})
    await vitrine.start()
    settle()
    open_many_files()
    made = [await vitrine.channels.add(f"c{n}", "") for n in range(channels)]
    keys = [each.stream_key for each in made]
    tell({"port": vitrine.rtmp.port, "http": vitrine.http_port, "keys": keys})
    while await asyncio.to_thread(sys.stdin.readline):
        states = [vitrine.registry.state(each.channel.id).ingest for each in made]
        tell({name: [state.get(name) for state in states] for name in ("dropped", "bytes")})
    await vitrine.stop()


def tell(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)


def main(folder: str, channels: str, worker: str = DISCARD) -> None:
    """Run the server with its data in `folder`."""
    log.configure("error", "console")
    process.WORKER = worker
    settings: dict[str, object] = {
        "server.host": "127.0.0.1",
        "server.http_port": 0,
        "server.rtmp_port": 0,
        "server.data_dir": str(Path(folder) / "data"),
        "ingest.max_connections_per_address": 512,
    }
    run(serve(load(None, settings), int(channels)))


if __name__ == "__main__":
    main(*sys.argv[1:])
