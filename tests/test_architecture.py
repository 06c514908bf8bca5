"""The floors of docs/architecture.md: imports point down only, and each kind keeps its limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.floors import Floor, Plan, judge, read, read_tree

ROOT = Path(__file__).resolve().parent.parent

# First match wins, so a folder's exceptions stand before its rule.
FLOORS = (
    (Floor.PURE, "ingest.address"),
    (Floor.VALUES, "ingest.unit"),
    (Floor.VALUES, "ingest.port"),
    (Floor.VALUES, "ingest.limits"),
    (Floor.VALUES, "overlay.scene"),
    (Floor.VALUES, "transcode.part"),
    (Floor.VALUES, "server.channel"),
    (Floor.EDGE, "server.http.*"),
    (Floor.EDGE, "server.webhooks.sender"),
    (Floor.VALUES, "server.webhooks.message"),
    (Floor.PURE, "server.webhooks.schedule"),
    (Floor.SERVICES, "server.webhooks.writer"),
    (Floor.VALUES, "*.errors"),
    (Floor.ADAPTERS, "ingest.rtmp.listener"),
    (Floor.ADAPTERS, "ingest.rtmp.connection"),
    *((Floor.ADAPTERS, f"ingest.rtmp.{name}") for name in ("certificate", "secure")),
    (Floor.PURE, "ingest.rtmp.*"),
    (Floor.PURE, "ingest.rtp.*"),
    *((Floor.PURE, f"ingest.{name}") for name in ("bandwidth", "whip_offer")),
    (Floor.VALUES, "ingest.whip_settings"),
    *((Floor.ADAPTERS, f"ingest.{name}") for name in ("encoded_track", "peer", "whip")),
    *((Floor.ADAPTERS, f"ingest.{name}_session") for name in ("rtc", "whip")),
    (Floor.ADAPTERS, "ingest.rtc_connection"),
    (Floor.ADAPTERS, "transcode.process"),
    (Floor.ADAPTERS, "transcode.supervisor"),
    (Floor.NATIVE, "transcode.confine"),
    (Floor.ADAPTERS, "transcode.worker"),
    (Floor.ADAPTERS, "transcode.puller"),
    (Floor.VALUES, "transcode.pull.order"),
    (Floor.NATIVE, "transcode.pull.demux"),
    *(
        (Floor.ADAPTERS, f"transcode.pull.{name}")
        for name in ("dial", "fetch", "relay", "shared_tls", "srt_file", "ways")
    ),
    (Floor.VALUES, "transcode.contact"),
    (Floor.ADAPTERS, "transcode.darkroom"),
    (Floor.NATIVE, "transcode.stills"),
    (Floor.NATIVE, "transcode.audio"),
    (Floor.NATIVE, "transcode.decode"),
    (Floor.NATIVE, "transcode.encode"),
    (Floor.NATIVE, "transcode.epoch_line"),
    (Floor.NATIVE, "transcode.epochs"),
    (Floor.NATIVE, "transcode.pipeline"),
    (Floor.NATIVE, "transcode.probe"),
    (Floor.NATIVE, "transcode.renditions"),
    (Floor.NATIVE, "transcode.rung_thread"),
    (Floor.NATIVE, "transcode.scale"),
    (Floor.NATIVE, "transcode.slate"),
    (Floor.NATIVE, "transcode.source"),
    (Floor.NATIVE, "transcode.stage"),
    (Floor.NATIVE, "transcode.tone"),
    (Floor.NATIVE, "transcode.upright"),
    (Floor.NATIVE, "transcode.waiting"),
    (Floor.NATIVE, "transcode.watch"),
    (Floor.PURE, "transcode.*"),
    (Floor.NATIVE, "overlay.canvas"),
    (Floor.NATIVE, "overlay.compositor"),
    (Floor.NATIVE, "overlay.face"),
    (Floor.NATIVE, "overlay.patches"),
    (Floor.NATIVE, "overlay.tiles"),
    (Floor.NATIVE, "overlay.typeface"),
    (Floor.PURE, "overlay.*"),
    *((Floor.SERVICES, f"server.hls.{name}") for name in ("edge", "reads", "waiting")),
    (Floor.PURE, "server.hls.*"),
    *(
        (Floor.EDGE, f"server.lint.{name}")
        for name in ("client", "fetch", "follower", "http2", "probes", "run", "taking")
    ),
    (Floor.PURE, "server.lint.*"),
    *((Floor.SERVICES, f"server.shop.{name}") for name in ("goods", "news", "pins")),
    *((Floor.SERVICES, f"server.shop.{name}") for name in ("revision", "service", "show", "shows")),
    (Floor.ADAPTERS, "server.shop.picture"),
    (Floor.PURE, "server.shop.*"),
    (Floor.PURE, "server.store.port"),
    (Floor.ADAPTERS, "server.store.*"),
    *((Floor.PURE, f"server.record.{name}") for name in ("catalogue", "figures", "journal")),
    *((Floor.PURE, f"server.record.{name}") for name in ("recording", "replay", "storage")),
    *((Floor.PURE, f"server.record.{name}") for name in ("errors", "holdings", "left")),
    *((Floor.ADAPTERS, f"server.record.{name}") for name in ("disk", "local", "object_store")),
    *((Floor.ADAPTERS, f"server.record.{name}") for name in ("reel", "room", "turn")),
    *((Floor.PURE, f"server.record.{name}") for name in ("axis", "chapters", "storyboard")),
    *((Floor.ADAPTERS, f"server.record.{name}") for name in ("disk_threads", "journal_file")),
    (Floor.SERVICES, "server.record.?*"),
    (Floor.ADAPTERS, "server.config_recording"),
    *((Floor.PURE, f"server.{name}") for name in ("attempts", "host_name", "instant", "locale")),
    *((Floor.PURE, f"server.{name}") for name in ("calm", "duration", "judge")),
    *((Floor.ADAPTERS, f"server.{name}") for name in ("auth", "bus", "claim", "clock", "log")),
    *((Floor.ADAPTERS, f"server.{name}") for name in ("address", "config", "config_file")),
    *((Floor.ADAPTERS, f"server.{name}") for name in ("config_yaml", "encoders", "listening")),
    *((Floor.ADAPTERS, f"server.config_{name}") for name in ("ingest", "section", "transcode")),
    *((Floor.ADAPTERS, f"server.config_{name}") for name in ("auth", "pull", "rtmps", "whip")),
    *((Floor.PURE, f"server.{name}") for name in ("source", "pull_settings")),
    (Floor.SERVICES, "server.sources"),
    (Floor.PURE, "server.config_words"),
    *((Floor.ADAPTERS, f"server.{name}") for name in ("config_webhooks", "net")),
    (Floor.SERVICES, "server.channels"),
    (Floor.SERVICES, "server.playback.keys"),
    *((Floor.PURE, name) for name in ("server.whep.sample", "server.live.echo")),
    *((Floor.ADAPTERS, f"server.whep.{name}") for name in ("track", "peer", "session", "service")),
    *((Floor.PURE, f"server.playback.{name}") for name in ("judge", "token")),
    (Floor.SERVICES, "server.admission"),
    *((Floor.PURE, f"server.live.{name}") for name in ("arrival", "coach", "figures", "pace")),
    *((Floor.PURE, f"server.live.{name}") for name in ("stopped", "tally")),
    (Floor.PURE, "server.live.rules*"),
    (Floor.SERVICES, "server.live.*"),
    *((Floor.COMPOSE, f"server.{name}") for name in ("__main__", "app", "cli", "serve")),
    *((Floor.COMPOSE, f"server.{name}") for name in ("cli_*", "options", "services")),
    *((Floor.COMPOSE, f"server.{name}") for name in ("ports", "terminal", "push", "pushlane")),
    *((Floor.COMPOSE, f"server.{name}") for name in ("demo", "demo.*")),
    # A package's own file: nothing in it but a docstring, or values.
    *((Floor.VALUES, name) for name in ("ingest", "overlay", "transcode", "server")),
    *((Floor.VALUES, f"ingest.{name}") for name in ("rtmp", "rtp")),
    *((Floor.VALUES, f"server.{name}") for name in ("hls", "http", "live", "shop", "store")),
    *(
        (Floor.VALUES, f"server.{name}")
        for name in ("lint", "playback", "record", "webhooks", "whep")
    ),
)

PLAN = Plan(
    floors=FLOORS,
    folders={
        "ingest": frozenset(),
        "overlay": frozenset(),
        "transcode": frozenset({"ingest.unit", "overlay"}),
        "server": frozenset({"ingest", "overlay", "transcode"}),
    },
    codec_users={
        "server.push": "the anchor's side: a client that reads a file, never the server",
        "server.pushlane": "the same",
        "server.demo.*": "draws and encodes the demo's broadcast, as an anchor's encoder would",
        "server.whep.track": "hands encoded packets on in the only form that a sender takes them",
        "transcode.worker": "sets the codec libraries' threads for its own process",
    },
    late_imports={},
)


def test_the_tree_keeps_the_plan() -> None:
    sources = read_tree(ROOT, tuple(PLAN.folders))
    assert len(sources) > len(PLAN.folders)
    assert judge(sources, PLAN) == []


def test_no_exception_outlives_its_reason() -> None:
    sources = read_tree(ROOT, tuple(PLAN.folders))
    inner = {(s.name, i.module) for s in sources.values() for i in s.imports if i.inner}
    assert set(PLAN.late_imports) <= inner


@pytest.mark.parametrize(
    ("texts", "breach"),
    [
        pytest.param(
            {"ingest.unit": "import overlay.scene", "overlay.scene": ""},
            "ingest.unit imports overlay.scene: ingest may not",
            id="another-folder",
        ),
        pytest.param(
            {"transcode.decode": "from ingest import port", "ingest.port": ""},
            "transcode.decode imports ingest.port: transcode may not",
            id="more-than-the-unit",
        ),
        pytest.param(
            {"server.bus": "from server.http.routes import x", "server.http.routes": "x = 1"},
            "server.bus (adapters) imports server.http.routes (edge): upwards",
            id="upwards",
        ),
        pytest.param(
            {"transcode.fmp4": "import asyncio.queues"},
            "transcode.fmp4 is pure and imports asyncio.queues",
            id="asyncio-in-pure",
        ),
        pytest.param(
            {"server.shop.timeline": "from datetime import datetime\nnow = datetime.now"},
            "server.shop.timeline is pure and reads the clock",
            id="clock-in-pure",
        ),
        pytest.param(
            {"transcode.decode": "import socket"},
            "transcode.decode is native and imports socket",
            id="socket-in-native",
        ),
        pytest.param(
            {"transcode.wire": "import transcode.decode", "transcode.decode": ""},
            "transcode.wire is pure and imports transcode.decode, which is native",
            id="native-in-pure",
        ),
        pytest.param(
            {"server.live.stream": "import av.video"},
            "server.live.stream is not native and imports av.video",
            id="codec-in-the-web-process",
        ),
        pytest.param(
            {"server.hls.edge": "from aiohttp import web"},
            "server.hls.edge is below the edge and imports aiohttp",
            id="aiohttp-below-the-edge",
        ),
        pytest.param(
            {"overlay.scene": "import numpy"},
            "overlay.scene is values and imports numpy, not of the standard library",
            id="package-in-values",
        ),
        pytest.param(
            {"server.cli": "class A:\n def f(self):\n  if 1:\n   import json"},
            "server.cli imports json inside a function",
            id="inside-a-function",
        ),
        pytest.param(
            {"server.hls.a": "import server.hls.b", "server.hls.b": "from server.hls import a"},
            "a cycle of imports: server.hls.a -> server.hls.b -> server.hls.a",
            id="cycle",
        ),
        pytest.param(
            {"server.new": ""}, "server.new stands on no floor: add it to the plan", id="?"
        ),
    ],
)
def test_each_breach_is_found(texts: dict[str, str], breach: str) -> None:
    found = judge(read(texts), PLAN)
    if "cycle" in breach:  # which module it begins with is nobody's promise
        assert any(sentence.startswith("a cycle of imports: ") for sentence in found)
    else:
        assert breach in found
