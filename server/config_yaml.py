"""YAML as configuration needs it: one document of bounded size, and the line of every key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

MOST_NODES = 10_000
"""Aliases counted out: a few lines of them can stand for billions."""
MOST_DEPTH = 32
Key = tuple[str | int, ...]


class YamlError(Exception):
    """What was written is not YAML, or not of a kind that configuration can be."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.line = line
        """Counted from 1."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a key stands."""

    key: Key
    line: int
    doubled: bool
    """Its map has it already."""


@dataclass(frozen=True, slots=True)
class Document:
    content: object
    """None when there is nothing but comments."""
    marks: tuple[Mark, ...]


def parse(data: bytes | str) -> Document:
    """Read one YAML document. Raises YamlError."""
    try:
        # Nothing but plain values: the loader is the safe one.
        loader = yaml.SafeLoader(data)
        try:
            node = loader.get_single_node()
            if node is None:
                return Document(None, ())
            _measure(node)
            marks = tuple(_marks(node, ()))
            return Document(loader.construct_document(node), marks)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlError(error.problem or "is not YAML", line) from error
    except RecursionError as error:
        raise YamlError(f"is nested more than {MOST_DEPTH} deep", 1) from error
    except (yaml.YAMLError, ValueError) as error:
        raise YamlError(f"is not YAML: {error}", 1) from error


def _measure(root: yaml.Node) -> None:
    """Count what the document stands for, before anything walks or builds it."""
    count = 0
    waiting: list[tuple[yaml.Node, tuple[int, ...]]] = [(root, ())]
    while waiting:
        node, path = waiting.pop()
        line = node.start_mark.line + 1
        count += 1
        if id(node) in path:
            raise YamlError("an alias (*) stands within what it stands for", line)
        if count > MOST_NODES:
            raise YamlError(f"holds more than {MOST_NODES} values, aliases (*) counted out", line)
        if len(path) > MOST_DEPTH:
            raise YamlError(f"is nested more than {MOST_DEPTH} deep", line)
        waiting += [(inner, (*path, id(node))) for inner in _inner(node)]


def _inner(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [inner for pair in node.value for inner in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _marks(node: yaml.Node, key: Key) -> Iterator[Mark]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            text = str(name.value)
            yield Mark((*key, text), name.start_mark.line + 1, text in seen)
            seen.add(text)
            yield from _marks(value, (*key, text))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield Mark((*key, index), value.start_mark.line + 1, doubled=False)
            yield from _marks(value, (*key, index))
