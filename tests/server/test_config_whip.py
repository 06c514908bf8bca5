"""The section `ingest.whip`: what is refused with which words, what reaches the ingest."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.whip_settings import IceServer
from server.config import ConfigError, load


def written(folder: Path, whip: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(f"ingest:\n  whip: {whip}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("whip", "told"),
    [
        ("{enabled: maybe}", "enabled"),
        ("{addresses: [example.com]}", "no such: example.com"),
        ('{ice_servers: [{url: "http://stun.example"}]}', "must be like stun:HOST:3478"),
        ('{ice_servers: [{url: "stun:a?transport=udp"}]}', "has no transport"),
        ('{ice_servers: [{url: "turn:a:3478"}]}', "needs username and credential"),
        ("{max_sessions: 0}", "max_sessions"),
    ],
)
def test_a_wrong_value_is_told(tmp_path: Path, whip: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, whip))
    assert told in str(refused.value)


@pytest.mark.parametrize("word", ["off", "false", "no", '"off"'])
def test_off_is_a_word_and_a_switch(tmp_path: Path, word: str) -> None:
    assert load(written(tmp_path, f"{{enabled: {word}}}")).whip_settings() is None
    environment = {"VITRINE_INGEST__WHIP__ENABLED": word.strip('"')}
    assert load(None, environment=environment).whip_settings() is None


def test_settings_reach_the_ingest(tmp_path: Path) -> None:
    servers = '[{url: "stun:a:1"}, {url: "turn:b?transport=tcp", username: u, credential: c}]'
    path = written(tmp_path, f'{{max_sessions: 3, addresses: ["::1"], ice_servers: {servers}}}')
    settings = load(path, {"ingest.silence_seconds": 4.0}).whip_settings()
    assert settings is not None
    assert (settings.sessions, settings.addresses, settings.silence_seconds) == (3, ("::1",), 4.0)
    stun, turn = settings.ice_servers
    assert stun == IceServer("stun:a:1")
    assert turn == IceServer("turn:b?transport=tcp", "u", "c")
    assert "'c'" not in repr(turn), "a secret is not shown"
