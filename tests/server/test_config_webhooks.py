"""The section `webhooks`: what is refused, in words; what stays hidden."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from server.config import ConfigError, load
from tests.helpers.hook import SECRET

URL = "https://shop.example/hook?token=hidden"


def told(tmp_path: Path, **endpoint: object) -> list[str]:
    whole = {"url": URL, "secret": SECRET, **endpoint}
    file = tmp_path / "c.yaml"
    file.write_text(json.dumps({"webhooks": {"endpoints": [whole]}}))
    with pytest.raises(ConfigError) as caught:
        load(file)
    return list(caught.value.problems)


def test_an_endpoint_comes_from_the_environment_too() -> None:
    text = f"[{{url: '{URL}', secret: {SECRET}, events: [stream.*], allow_private: true}}]"
    config = load(None, None, {"VITRINE_WEBHOOKS__ENDPOINTS": text})
    (target,) = config.webhooks.targets()
    assert (target.url, target.secret, target.allow_private) == (URL, SECRET, True)
    assert target.wants("stream.ended")
    assert not target.wants("product.pinned")
    for shown in (repr(config), str(config), config.model_dump_json(), repr(target)):
        assert SECRET not in shown


def test_times_reach_the_sender() -> None:
    config = load(None, {"webhooks.timeout_seconds": 3, "webhooks.give_up_days": 0.5})
    assert (config.webhooks.settings().timeout, config.webhooks.settings().give_up) == (3, 43_200)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("url", "ftp://shop.example/", r"url: must be an http or https address"),
        ("url", "https://user:word@shop.example/", r"url: must be .* without a user"),
        ("url", "https:///hook", r"url: must be an http"),
        ("url", "https://shop.example:99999/", r"url: "),
        ("secret", "whsec_c2hvcnQ=", r"secret: must be whsec_ and the base64 of 24 to 64"),
        ("secret", SECRET.removeprefix("whsec_"), r"secret: must be whsec_"),
        ("secret", "whsec_!!!", r"secret: must be whsec_"),
        ("events", ["stream.begun"], r"events: no event is called 'stream.begun'; there are "),
        ("events", [], r"events: must have at least 1"),
        ("allow_private", "perhaps", r"allow_private: must be true or false"),
        ("colour", "red", r"colour: there is no such key"),
    ],
)
def test_what_is_wrong_is_told_without_the_secret(
    tmp_path: Path, field: str, value: object, said: str
) -> None:
    (problem,) = told(tmp_path, **{field: value})
    assert re.search(rf"webhooks\.endpoints\.0\.{said}", problem)
    assert SECRET not in problem
    assert "hidden" not in problem


def test_an_endpoint_is_named_once(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    one = {"url": URL, "secret": SECRET}
    file.write_text(json.dumps({"webhooks": {"endpoints": [one, one]}}))
    with pytest.raises(ConfigError, match="name each url once"):
        load(file)
