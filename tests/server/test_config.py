from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from server.channel import OverlayMode
from server.config import Config, ConfigError, load
from server.judge import WebhookSettings
from transcode.profile import BUILT_IN, DEFAULT

DOCUMENTED = Path(__file__).parents[2] / "config.yaml"


def problems(
    text: str, tmp_path: Path, overrides: dict[str, object] | None = None, **env: str
) -> list[str]:
    file = tmp_path / "c.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, overrides, env)
    return [line.removeprefix(str(tmp_path) + "/") for line in caught.value.problems]


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "c.yaml"
    file.write_text(text)
    return file


def test_the_documented_file_is_the_default() -> None:
    assert load(DOCUMENTED) == load(None) == Config()


def test_the_documented_file_holds_and_explains_every_key() -> None:
    documented = yaml.safe_load(DOCUMENTED.read_text())
    model = Config().model_dump(mode="json")
    assert {name: set(section) for name, section in documented.items()} == {
        name: set(section) for name, section in model.items()
    }
    profile = documented["transcode"]["profiles"]["default"]
    assert set(profile) == set(model["transcode"]["profiles"]["default"])
    lines = DOCUMENTED.read_text().splitlines()
    for number, line in enumerate(lines):
        if re.match(r"  \w+:", line):
            above = lines[number - 1]
            assert "#" in above or re.match(r"  \w+:", above), f"{line} is not explained"


def test_profiles_are_the_transcoders_own() -> None:
    config = load(DOCUMENTED)
    assert tuple(config.profiles().values()) == BUILT_IN
    assert config.profile("default") == DEFAULT
    assert config.channel_defaults().profiles == {"default", "1080p"}


def test_a_profile_comes_in_addition(tmp_path: Path) -> None:
    text = """
transcode:
  default_profile: tiny
  profiles:
    tiny:
      rungs: [{short_side: 240, bitrate: 300000}]
      options: {tune: animation}
    default: {preset: faster}
"""
    config = load(write(tmp_path, text))
    assert set(config.profiles()) == {"default", "1080p", "tiny"}
    assert config.profile("tiny").options == (("tune", "animation"),)
    assert config.profile("default").preset == "faster"
    assert config.profile("default").rungs == DEFAULT.rungs


def test_the_file_then_the_environment_then_the_command_line(tmp_path: Path) -> None:
    file = write(tmp_path, "server: {http_port: 1, rtmp_port: 1, max_channels: 1}\nlog:\n")
    env = {
        "VITRINE_SERVER__HTTP_PORT": "2",
        "VITRINE_SERVER__RTMP_PORT": "2",
        "VITRINE_OVERLAY__MODE": "client",
        "VITRINE_SERVER__PUBLIC_URL": "https://live.example.com/",
        "VITRINE_ADMIN_TOKEN": "not a key of the configuration",
        "OTHER__KEY": "x",
    }
    config = load(file, {"server.http_port": 3, "server.host": None}, env)
    server = config.server
    assert (server.http_port, server.rtmp_port, server.max_channels) == (3, 2, 1)
    assert server.host == Config().server.host, "None is no override"
    assert server.public_url == "https://live.example.com"
    assert config.overlay_settings().mode is OverlayMode.CLIENT


def test_every_problem_has_its_place(tmp_path: Path) -> None:
    text = """\
server:
  http_port: eighty
  prot: 3
  host: a
  host: b
colour: red
transcode:
  profiles:
    mine:
      rungs:
        - {short_side: 720, bitrate: 1000000}
        - {short_side: 480}
"""
    told = problems(
        text, tmp_path, {"server.rtmp_port": 99_999}, VITRINE_LOG__LEVEL="loud", VITRINE_X__Y="1"
    )
    expected = [
        r"c.yaml:5: server.host: stands here for a second time",
        r"c.yaml:2: server.http_port: must be a whole number",
        r"command line: server.rtmp_port: .*65535",
        r"c.yaml:3: server.prot: there is no such key",
        r"c.yaml:12: transcode.profiles.mine.rungs.1.bitrate: is missing here",
        r"c.yaml:6: colour: there is no such key",
        r"VITRINE_LOG__LEVEL: log.level: .*'debug'",
        r"VITRINE_X__Y: x: there is no such key",
    ]
    assert len(told) == len(expected)
    for pattern in expected:
        assert any(re.fullmatch(pattern, line) or re.match(pattern, line) for line in told), pattern


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", r"c.yaml:\d: "),
        ("- a\n- b", r"c.yaml:1: must hold sections"),
        ("just text", r"c.yaml:1: must hold sections"),
        ("server: 5", r"c.yaml:1: server: "),
        ("a: \x01", r"c.yaml:1: is not YAML"),
        ("a: !!python/object:os.system x", r"c.yaml:1: "),
        (
            "transcode: {default_profile: none}",
            r"c.yaml:1: transcode.default_profile: 'none' is not among the profiles",
        ),
        (
            "transcode:\n  profiles:\n    x: {rungs: [{short_side: 7, bitrate: 9}]}",
            r"c.yaml:3: transcode.profiles.x.rungs.0.short_side: must be",
        ),
        ("overlay: {locale: xx-klingon}", r"c.yaml:1: overlay.locale: must be a BCP 47"),
        ("overlay: {fonts: [/no/such.ttf]}", r"c.yaml:1: overlay.fonts: no such font file"),
        ("server: {public_url: example.com}", r"c.yaml:1: server.public_url: must be an http"),
        ("server: {public_url: 'https://a.example/shop'}", r"c.yaml:1: server.public_url: .*path"),
        ("server: {public_url: 'https://a.example:99999'}", r"c.yaml:1: server.public_url: .*ort"),
        ("server: {trusted_proxies: [10.0.0.1/8]}", r"c.yaml:1: server.trusted_proxies: .*10"),
        ("shop: {date_range_class: pin}", r"c.yaml:1: shop.date_range_class: "),
    ],
)
def test_a_wrong_file_says_where(text: str, told: str, tmp_path: Path) -> None:
    assert re.match(told, problems(text, tmp_path)[0])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("server: []", r"server: must be a section: .*"),
        ("server: {http_port: true}", r"server.http_port: is read as yes or no.*"),
        ("server: {drain_seconds: on}", r"server.drain_seconds: is read as yes or no.*"),
        ("log: {level: no}", r"log.level: is read as yes or no.*"),
        ("server: {data_dir: [1]}", r"server.data_dir: must be a path, written as text"),
        (
            "server: {max_channels: 1.5}",
            r"server.max_channels: must be a whole number from 1 to 100000",
        ),
        ("server: {max_channels: 0}", r"server.max_channels: must be at least 1"),
        ("server: {http_port: 1935}", r"server.rtmp_port: must not be the same as http_port"),
        ("server: {host: 300.1.1.1}", r"server.host: must be an IP address.*"),
        ("server: {host: 'two words'}", r"server.host: must be an IP address.*"),
        ("server: {host: ''}", r"server.host: must be an IP address.*"),
        ("overlay: {fonts: a}", r"overlay.fonts: must be a list.*"),
        ("overlay: {corner: 5}", r"overlay.corner: must be one of 'bottom-left'.*"),
        ("transcode: {profiles: {default: {options: {ref: 3}}}}", r".*options.ref: must be text.*"),
        (
            "transcode: {profiles: {default: {rungs: []}}}",
            r".*default.rungs: 1 to 8 of them.*",
        ),
    ],
)
def test_a_wrong_value_is_told_what_to_write(text: str, told: str, tmp_path: Path) -> None:
    (line,) = problems(text, tmp_path)
    assert re.fullmatch(rf"c.yaml:1: {told}", line), line


def test_no_type_of_ours_is_told(tmp_path: Path) -> None:
    text = """
server: {host: 3, http_port: x, data_dir: 5, public_url: [], drain_seconds: y}
overlay: {mode: 1, corner: {}, locale: 3, fonts: [5]}
transcode: {profiles: {a: 5, b: {rungs: 5}, c: {rungs: [1]}, default: {options: [], encoder: 5}}}
shop: 7
"""
    told = problems(text, tmp_path)
    assert len(told) == 15
    for line in told:
        assert not re.search(r"valid|instance|tuple|dictionary|Section|class", line), line


def test_every_problem_of_every_profile_is_told_at_its_key(tmp_path: Path) -> None:
    text = """\
transcode:
  profiles:
    default:
      part_seconds: 1
      segment_seconds: 1.5
      options: {"a b": "1"}
    other:
      rungs:
        - short_side: 7
          bitrate: 9
      audio_bitrate: 5
    twice:
      rungs: [{short_side: 90, bitrate: 90000}, {short_side: 90, bitrate: 80000}]
  default_profile: third
"""
    assert problems(text, tmp_path) == [
        "c.yaml:14: transcode.default_profile: 'third' is not among the profiles",
        "c.yaml:5: transcode.profiles.default.segment_seconds:"
        " two parts or more, at least 1, at most 10",
        "c.yaml:6: transcode.profiles.default.options:"
        " names of letters, digits, - and _, each with a value",
        "c.yaml:9: transcode.profiles.other.rungs.0.short_side: must be a multiple of 2",
        "c.yaml:10: transcode.profiles.other.rungs.0.bitrate: must be at least 50000",
        "c.yaml:11: transcode.profiles.other.audio_bitrate: must be at least 16000",
        "c.yaml:13: transcode.profiles.twice.rungs: each short side once",
    ]


def test_free_ports_may_both_be_free_and_off_is_a_word(tmp_path: Path) -> None:
    text = "server: {http_port: 0, rtmp_port: 0, host: '::1'}\noverlay: {mode: off}\n"
    config = load(write(tmp_path, text))
    assert config.server.http_port == config.server.rtmp_port == 0
    assert config.overlay.mode is OverlayMode.OFF


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.yaml")


SECRET = "whsec_" + "QUJD" * 11


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("url: shop.example", r"url: must be an http or https address.*"),
        ("url: 'ftp://shop.example/x'", r"url: must be an http or https address.*"),
        ("url: 'http://'", r"url: must be an http or https address.*"),
        ("secret: hush", r"secret: must be whsec_ and the base64 of 24 to 64.*"),
        ("secret: whsec_QUJD", r"secret: must be whsec_ and the base64 of 24 to 64.*"),
        (f"secret: {SECRET[6:]}", r"secret: must be whsec_ and the base64 of 24 to 64.*"),
        ("timeout_seconds: 4.5", r"timeout_seconds: must be at most 4"),
        ("timeout_seconds: 0", r"timeout_seconds: must be above 0"),
        ("fail: maybe", r"fail: must be one of 'closed' or 'open'"),
        ("send_key: on", r"send_key: is read as yes or no.*"),
        ("events: [publish]", r"events: there is no such key"),
        (
            "send_key: always, url: 'http://shop.example/x'",
            r"url: must be https where send_key is always",
        ),
    ],
)
def test_a_wrong_auth_webhook_is_told_what_to_write(text: str, told: str, tmp_path: Path) -> None:
    (line,) = problems(f"ingest: {{auth_webhook: {{{text}}}}}", tmp_path)
    assert re.fullmatch(rf"c.yaml:1: ingest.auth_webhook.{told}", line), line


def test_an_auth_webhook_reaches_its_sender(tmp_path: Path) -> None:
    assert Config().ingest.auth_webhook.settings() is None
    text = "ingest: {auth_webhook: {url: 'https://shop.example/x', fail: open}}"
    env = {
        "VITRINE_INGEST__AUTH_WEBHOOK__SECRET": SECRET,
        "VITRINE_INGEST__AUTH_WEBHOOK__SEND_KEY": "always",
        "VITRINE_INGEST__AUTH_WEBHOOK__TIMEOUT_SECONDS": "4",
    }
    config = load(write(tmp_path, text), None, env)
    asked = config.ingest.auth_webhook.settings()
    assert asked == WebhookSettings("https://shop.example/x", SECRET, 4.0, True, True)
    assert SECRET not in repr(config) + repr(asked)
    assert config.ingest_limits().verdict_seconds > 4, "the gate waits longer than the webhook"


@pytest.mark.parametrize("word", ["true", "yes", "1"])
def test_private_sources_are_allowed_by_one_key(tmp_path: Path, word: str) -> None:
    assert not load(None).pull_settings().allow_private
    text = f"ingest: {{pull: {{allow_private: {word}, backoff_seconds: 3}}}}"
    settings = load(write(tmp_path, text)).pull_settings()
    assert (settings.allow_private, settings.backoff_first) == (True, 3)
    variable = {"VITRINE_INGEST__PULL__ALLOW_PRIVATE": word}
    assert load(None, environment=variable).pull_settings().allow_private


@pytest.mark.parametrize(
    ("pull", "said"),
    [
        ("{allow_private: maybe}", "must be true or false"),
        ("{max_sources: true}", "read as yes or no"),
        ("{backoff_seconds: 9, max_backoff_seconds: 3}", "at least backoff_seconds"),
    ],
)
def test_wrong_words_about_sources_are_told(tmp_path: Path, pull: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(write(tmp_path, f"ingest: {{pull: {pull}}}"))


def test_settings_reach_their_owners(tmp_path: Path) -> None:
    text = """
ingest: {max_connections: 7, silence_seconds: 3}
shop: {shown_seconds: 1, planned_pin_seconds: 60, pin_ahead_seconds: 5, max_listeners: 9}
"""
    config = load(write(tmp_path, text))
    limits = config.ingest_limits()
    assert (limits.connections, limits.silence_seconds) == (7, 3)
    shop = config.shop_settings()
    assert (shop.show.shown_deadline, shop.show.planned_pin_ms, shop.pin_ahead_ms) == (
        1,
        60_000,
        5_000,
    )
    assert config.bus_limits().listeners == 9
