"""The command line as people and scripts meet it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from importlib.metadata import version
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner, Result

from server.address import Addresses
from server.claim import claimed
from server.cli import app
from server.instant import parse_rfc3339, rfc3339
from server.playback.token import read

COMMANDS = (
    ("serve",),
    ("demo",),
    ("check",),
    ("push",),
    ("channel", "add"),
    ("channel", "list"),
    ("channel", "source"),
    ("channel", "rotate-key"),
    ("channel", "remove"),
    ("products", "import"),
    ("recording", "list"),
    ("recording", "hold"),
    ("recording", "release"),
    ("recording", "remove"),
    ("recording", "log"),
    ("playback", "mode"),
    ("playback", "sign"),
    ("playback", "rotate"),
)


class Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, data: bool = True) -> Result:
        where = ("--data-dir", str(self.folder / "data")) if data else ()
        return CliRunner().invoke(app, [*words, *where])


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("VITRINE_")]:
        monkeypatch.delenv(name)
    return Shell(tmp_path)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(
    shell: Shell, command: tuple[str, ...]
) -> None:
    told = shell(*command, "--help", data=False)
    assert told.exit_code == 0
    assert f"Example: vitrine {' '.join(command)}" in told.stdout


def test_it_tells_its_version(shell: Shell) -> None:
    told = shell("--version", data=False)
    assert (told.exit_code, told.stdout) == (0, f"vitrine {version('vitrine')}\n")


@pytest.mark.parametrize("given", ["x", "0", "-1", "nan", "inf"])
def test_seconds_that_are_none_are_refused_in_words(shell: Shell, given: str) -> None:
    told = shell("push", "a.mp4", "rtmp://h/live/k", "--seconds", given, data=False)
    assert told.exit_code == 2
    assert "must be a number of seconds, at least 0.1" in told.stderr


def test_channels_are_added_listed_renamed_rotated_and_removed(shell: Shell) -> None:
    made = json.loads(shell("channel", "add", "tea", "--title", "Tea at five", "--json").stdout)
    assert set(made) >= {"id", "title", "rtmp_url", "stream_key", "anchor_token"}
    assert made["rtmp_url"] == "rtmp://localhost:1935/live"
    listed = json.loads(shell("channel", "list", "--json").stdout)
    assert [(item["id"], item["title"]) for item in listed] == [("tea", "Tea at five")]
    assert "Tea at five" in shell("channel", "list").stdout
    renamed = json.loads(shell("channel", "rename", "tea", " Tea at six ", "--json").stdout)
    assert renamed == {"id": "tea", "title": "Tea at six"}
    assert "Tea at six" in shell("channel", "list").stdout
    assert shell("channel", "rename", "tea", "").stdout == "tea is now tea\n"
    too_long = shell("channel", "rename", "tea", "x" * 121)
    assert (too_long.exit_code, "at most 120 characters" in too_long.stderr) == (1, True)
    assert "There is no channel 'none'" in shell("channel", "rename", "none", "x").stderr
    rotated = json.loads(shell("channel", "rotate-key", "tea", "--json").stdout)
    assert rotated["stream_key"] != made["stream_key"]
    assert "turned out within seconds" in shell("channel", "rotate-key", "tea").stdout
    removed = shell("channel", "remove", "tea")
    assert removed.exit_code == 0
    assert "ends within seconds" in removed.stdout
    assert json.loads(shell("channel", "list", "--json").stdout) == []


def test_keys_expire_when_told_to(shell: Shell) -> None:
    before = time.time()
    made = json.loads(shell("channel", "add", "tea", "--expires-in", "1h30m", "--json").stdout)
    ahead = parse_rfc3339(made["key_expires_at"]) / 1000 - before
    assert 5_400 <= ahead < 5_400 + 60
    (listed,) = json.loads(shell("channel", "list", "--json").stdout)
    assert listed["key_expires_at"] == made["key_expires_at"]
    assert made["key_expires_at"] in shell("channel", "list").stdout
    at = rfc3339(int(before + 9_000) * 1000)
    rotated = shell("channel", "rotate-key", "tea", "--expires-at", at, "--keep-old", "10m")
    assert f"key expires at {at}\n" in rotated.stdout
    assert "The old key begins broadcasts for another 10m." in rotated.stdout
    rotated = shell("channel", "rotate-key", "tea")
    assert "expires" not in rotated.stdout
    assert "never" in shell("channel", "list").stdout


def test_a_source_is_set_told_without_its_password_and_removed(shell: Shell) -> None:
    shell("channel", "add", "tea")
    url = "rtsp://ann:s3cret@camera.example/1?token=s3cret"
    masked = "rtsp://ann:***@camera.example/1?token=***"
    assert shell("channel", "source", "tea", url).stdout == f"{masked}\n"
    told = json.loads(shell("channel", "source", "tea", "--json").stdout)
    assert told == {"url": masked, "loop": False, "enabled": True}
    film = shell("channel", "source", "tea", "http://films.example/a.mp4", "--loop")
    assert film.stdout == "http://films.example/a.mp4 (loop)\n"
    assert shell("channel", "source", "tea", "--remove").exit_code == 0
    assert shell("channel", "source", "tea").exit_code == 1


def test_what_only_the_server_knows_is_told_to_be_there(shell: Shell) -> None:
    shell("channel", "add", "tea")
    url = "http://films.example/a.mp4"
    idle = "No server runs on this data directory: nothing is on the air.\n"
    for words in (("source", "tea", url), ("source", "tea"), ("list",)):
        assert shell("channel", *words).stderr == idle
        assert shell("channel", *words, "--json").stderr == ""
    with claimed(shell.folder / "data") as claim:
        claim.tell(Addresses("http://here:9000", "rtmp://here/live"))
        told = shell("channel", "source", "tea")
        assert told.stdout == f"{url}\n", "no more than the source, for scripts"
        assert told.stderr == (
            "What it does now: GET http://here:9000/api/v1/channels/tea/source,"
            " or http://here:9000/studio/tea\n"
        )
        listed = shell("channel", "list").stderr
        assert "on the air: GET http://here:9000/api/v1/channels, or http://here:9000/ops" in listed


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("channel", "add", "a", "--expires-in", "soon"), 1, "--expires-in: must be a length"),
        (("channel", "add", "a", "--expires-in", "999w"), 1, "key_expires_at: must lie within"),
        (("channel", "rotate-key", "tea", "--expires-at", "today"), 1, "--expires-at: not an RFC"),
        (
            ("channel", "rotate-key", "tea", "--expires-at", "2020-01-01T00:00:00Z"),
            1,
            "expires_at: lies in the past",
        ),
        (
            ("channel", "rotate-key", "tea", "--expires-in", "8h", "--expires-at", "x"),
            1,
            "only one of them",
        ),
        (("channel", "rotate-key", "tea", "--keep-old", "8d"), 1, "keep_old_seconds: must be"),
        (("channel", "add", "No Good!"), 1, "id: "),
        (("channel", "remove", "none"), 1, "There is no channel 'none'."),
        (("channel", "rotate-key", "none"), 1, "There is no channel"),
        (("channel", "source", "tea"), 1, "There is no source of channel 'tea'."),
        (("channel", "source", "none", "http://films.example/a.mp4"), 1, "no channel"),
        (("channel", "source", "tea", "rtsp://10.0.0.1/1"), 1, "allow_private"),
        (("channel", "source", "tea", "file:///etc/passwd"), 1, "rtsp://"),
        (("channel", "source", "tea", "http://a.example/", "--remove"), 2, "--remove"),
        (("channel", "add"), 2, "Missing argument"),
        (("products", "import", "none.csv", "--channel", "tea"), 1, "No such file"),
        (("products", "import", "feed.txt", "--channel", "tea"), 1, "feed.txt"),
        (("products", "import", "feed.csv"), 2, "--channel"),
        (("serve", "--http-port", "99999"), 1, "http_port"),
        (("serve", "--config", "none.yaml"), 1, "none.yaml"),
        (("push", "none.mp4", "rtmp://localhost/live/k"), 1, "none.mp4"),
    ],
)
def test_errors_are_a_line_and_a_status(
    shell: Shell, words: tuple[str, ...], status: int, said: str
) -> None:
    shell("channel", "add", "tea")
    done = shell(*words, data=words[0] != "push")
    assert done.exit_code == status, done.output
    assert said in done.stderr
    assert "Traceback" not in done.output
    if status == 1:
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("vitrine: ")


def test_a_channel_twice_is_an_error(shell: Shell) -> None:
    assert shell("channel", "add", "tea").exit_code == 0
    again = shell("channel", "add", "tea")
    assert (again.exit_code, again.stdout) == (1, "")


def test_an_import_tells_each_bad_line(shell: Shell) -> None:
    shell("channel", "add", "tea")
    feed = shell.folder / "feed.csv"
    feed.write_text("id,title,price\ncup,Cup,12.90 EUR\npot,,9 EUR\n", "utf-8")
    done = shell("products", "import", str(feed), "--channel", "tea")
    assert done.exit_code == 1
    assert "imported 1, updated 0" in done.stdout
    assert "feed.csv: line 3: title: " in done.stderr
    feed.write_text("id,title,price\ncup,Cup,12.90 EUR\n", "utf-8")
    told = shell("products", "import", str(feed), "--channel", "tea", "--json")
    assert told.exit_code == 0
    assert json.loads(told.stdout) == {
        "imported": 0, "updated": 0, "unchanged": 1, "rejected": []
    }  # fmt: skip


def test_an_import_tells_each_bad_item(shell: Shell) -> None:
    shell("channel", "add", "tea")
    feed = shell.folder / "feed.json"
    feed.write_text('[{"id": "cup", "title": "Cup", "price": 130}]', "utf-8")
    done = shell("products", "import", str(feed), "--channel", "tea")
    assert done.exit_code == 1
    assert "feed.json: item 1: price: 130 has no currency" in done.stderr


def test_the_help_of_import_has_a_feed_that_goes_in(shell: Shell) -> None:
    shell("channel", "add", "tea")
    told = [
        line.strip()
        for line in shell("products", "import", "--help", data=False).stdout.split("\n")
    ]
    start = told.index("id,title,price,currency,image,url")
    rows = [line.replace("pictures/cup.jpg", "") for line in told[start : start + 3]]
    feed = shell.folder / "feed.csv"
    feed.write_text("\n".join(rows), "utf-8")
    done = shell("products", "import", str(feed), "--channel", "tea")
    assert (done.exit_code, done.stdout) == (0, "imported 2, updated 0\n")


@pytest.mark.parametrize(
    "words",
    [
        ("channel", "list"),
        ("channel", "rotate-key", "tea"),
        ("channel", "remove", "tea"),
        ("products", "import", "feed.csv", "--channel", "tea"),
    ],
    ids=" ".join,
)
def test_only_add_begins_a_data_directory(shell: Shell, words: tuple[str, ...]) -> None:
    (shell.folder / "feed.csv").write_text("id,title,price\n", "utf-8")
    done = shell(*words)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no Vitrine data is here" in done.stderr
    assert not (shell.folder / "data").exists()


def test_addresses_are_the_running_servers_else_the_configurations(shell: Shell) -> None:
    promise = "These addresses hold when the server runs with this configuration."
    assert promise in shell("channel", "add", "one").stdout
    with claimed(shell.folder / "data") as claim:
        assert promise in shell("channel", "add", "two").stdout, "it listens nowhere yet"
        claim.tell(Addresses("http://here:9000", "rtmp://here:9001/live"))
        told = shell("channel", "add", "three").stdout
    assert "http://here:9000/watch/three" in told
    assert "rtmp://here:9001/live" in told
    assert promise not in told
    after = shell("channel", "add", "four").stdout
    assert "http://localhost:8080/watch/four" in after
    assert promise in after


def test_check_names_every_problem(shell: Shell) -> None:
    assert shell("check", data=False).exit_code == 0
    file = shell.folder / "bad.yaml"
    file.write_text("server:\n  http_port: many\n  colour: red\n", "utf-8")
    done = shell("check", str(file), data=False)
    assert done.exit_code == 1
    assert "http_port" in done.stderr
    assert "colour" in done.stderr
    assert done.stderr.count("\n") == 2


async def test_serve_says_ready_and_ends_in_order_on_sigterm(tmp_path: Path) -> None:
    options = ("--data-dir", str(tmp_path / "data"), "--http-port", "0", "--rtmp-port", "0")
    command = (sys.executable, "-m", "server", "serve", "--host", "127.0.0.1", *options)
    environment = {**os.environ, "VITRINE_LOG__FORMAT": "json"}
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environment
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(40):
            line = json.loads(await process.stderr.readline())
            while line["event"] != "ready":
                line = json.loads(await process.stderr.readline())
        base = f"http://127.0.0.1:{line['http_port']}"
        async with aiohttp.ClientSession() as session, session.get(f"{base}/readyz") as ready:
            assert ready.status == 200
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            _, rest = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    assert [json.loads(each)["event"] for each in rest.splitlines()][-1] == "stopped"


def test_who_may_watch(shell: Shell) -> None:
    shell("channel", "add", "tea")
    early = shell("playback", "sign", "tea")
    assert early.exit_code == 1
    assert "set its playback to signed first" in early.stderr
    first = json.loads(shell("playback", "mode", "tea", "signed", "--json").stdout)
    assert first["playback_key"].startswith("pb_")
    assert "playback_key" not in json.loads(
        shell("playback", "mode", "tea", "signed", "--json").stdout
    )
    made = json.loads(
        shell("playback", "sign", "tea", "--for", "2h", "--viewer", "anna", "--json").stdout
    )
    signed = read(made["token"])
    assert signed is not None
    assert signed.made_with(first["playback_key"])
    assert signed.claims.viewer == "anna"
    assert 7_100 < signed.claims.expires - time.time() <= 7_200
    assert made["hls_url"].endswith(f"/live/tea/~{made['token']}/index.m3u8")
    told = shell("playback", "rotate", "tea", "--keep-old", "10m")
    assert "another 10m" in told.stdout
    assert first["playback_key"] not in told.stdout
    assert shell("playback", "sign", "tea", "--for", "soon").exit_code == 1
    assert "tea is public" in shell("playback", "mode", "tea", "public").stdout
