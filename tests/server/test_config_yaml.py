"""YAML that is written to hurt is told in a line."""

from __future__ import annotations

import pytest

from server.config_yaml import MOST_DEPTH, MOST_NODES, YamlError, parse

BOMB = "a0: &a0 [1]\n" + "".join(
    f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 25)
)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        pytest.param("b: 1\na: &a [*a]", 2, "stands within", id="list-in-itself"),
        pytest.param("a: &a {b: {c: *a}}", 1, "stands within", id="map-in-itself"),
        pytest.param(BOMB, None, f"more than {MOST_NODES}", id="bomb"),
        pytest.param(
            BOMB.replace("[1]", "{x: 1}") + "z: {<<: *a24}", None, "more than", id="merged-bomb"
        ),
        pytest.param("[1, " * MOST_DEPTH + "1" + "]" * MOST_DEPTH, None, None, id="deep-enough"),
        pytest.param("[" * 50 + "]" * 50, 1, "deep", id="deep"),
        pytest.param("[" * 100_000, 1, "deep", id="deepest"),
        pytest.param("- 1\n" * (MOST_NODES + 1), None, f"more than {MOST_NODES}", id="long"),
        pytest.param("? [a, b]\n: 1", 1, "unhashable", id="list-as-key"),
    ],
)
def test_what_cannot_be_a_configuration(text: str, line: int | None, told: str | None) -> None:
    if told is None:
        assert parse(text).content
        return
    with pytest.raises(YamlError, match=told) as caught:
        parse(text)
    assert line is None or caught.value.line == line


def test_aliases_and_merges_that_end_are_welcome() -> None:
    document = parse("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}\n")
    assert document.content == {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1, "y": 2}}
    assert [(mark.key, mark.line) for mark in document.marks][:4] == [
        (("a",), 1),
        (("a", "x"), 1),
        (("b",), 2),
        (("b", "x"), 1),
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_document(text: str) -> None:
    assert parse(text).content is None
