"""Frozen dataclasses as bytes and back, every type checked on the way in.

Pure. For messages that are rare or small: a length, JSON with a dataclass as the
list of its fields, then the bytes fields one after the other as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from functools import cache
from struct import Struct
from types import NoneType, UnionType
from typing import Any, Final, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from transcode.errors import TranscodeError, WireError

T = TypeVar("T")
_LENGTH = Struct(">I")


def dump(value: object) -> bytes:
    """Write a dataclass of int, float, bool, str, bytes, Fraction, Enum, tuples and such."""
    blobs: list[bytes] = []
    text = json.dumps(_plain(value, blobs), separators=(",", ":"), ensure_ascii=False).encode()
    return b"".join((_LENGTH.pack(len(text)), text, *blobs))


def load(kind: type[T], payload: memoryview) -> T:
    """Read a `kind` that `dump` wrote. Raises WireError when anything is not as `kind` says."""
    if len(payload) < _LENGTH.size:
        raise WireError(f"{kind.__name__}: cut short")
    end = _LENGTH.size + _LENGTH.unpack_from(payload)[0]
    if end > len(payload):
        raise WireError(f"{kind.__name__}: cut short")
    try:
        tree = json.loads(bytes(payload[_LENGTH.size : end]), parse_constant=_refuse)
        reader = _Reader(payload[end:])
        value = reader.read(kind, tree)
    except (ValueError, TypeError, RecursionError, TranscodeError) as error:
        raise WireError(f"{kind.__name__}: {error}") from error
    if reader.rest:
        raise WireError(f"{kind.__name__}: {len(reader.rest)} bytes too many")
    # `read` gave what `kind` asks for, which a type checker cannot follow.
    return value  # type: ignore[no-any-return]


def _plain(value: Any, blobs: list[bytes]) -> object:
    if isinstance(value, bytes):
        blobs.append(value)
        return len(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Fraction):
        return [value.numerator, value.denominator]
    if isinstance(value, tuple):
        return [_plain(item, blobs) for item in value]
    if is_dataclass(value):
        return [_plain(getattr(value, field.name), blobs) for field in fields(value)]
    return value


@cache
def _types(kind: type) -> tuple[Any, ...]:
    """Give the types of a dataclass's fields, in order."""
    hints = get_type_hints(kind)
    return tuple(hints[field.name] for field in fields(kind))


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


def _wrong(expected: str, value: object) -> NoReturn:
    raise ValueError(f"expected {expected}, got {type(value).__name__}")


class _Reader:
    """Builds values from their JSON tree and from the bytes that follow it."""

    def __init__(self, rest: memoryview) -> None:
        self.rest = rest

    def read(self, kind: Any, tree: Any) -> Any:
        scalar = _SCALARS.get(kind)
        if scalar is not None:
            return scalar(tree)
        if kind is bytes:
            return self._bytes(tree)
        origin = get_origin(kind)
        if origin is UnionType:
            return self._optional(kind, tree)
        if origin is tuple:
            return self._tuple(get_args(kind), tree)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return kind(tree)
        return self._dataclass(kind, tree)

    def _bytes(self, tree: object) -> bytes:
        size = _int(tree)
        if not 0 <= size <= len(self.rest):
            raise ValueError(f"{size} bytes do not follow")
        taken, self.rest = bytes(self.rest[:size]), self.rest[size:]
        return taken

    def _optional(self, kind: Any, tree: object) -> object:
        if tree is None:
            return None
        (some,) = (arm for arm in get_args(kind) if arm is not NoneType)
        return self.read(some, tree)

    def _tuple(self, kinds: tuple[Any, ...], tree: object) -> tuple[object, ...]:
        items = _list(tree)
        if len(kinds) == 2 and kinds[1] is Ellipsis:
            kinds = (kinds[0],) * len(items)
        return tuple(self.read(kind, item) for kind, item in zip(kinds, items, strict=True))

    def _dataclass(self, kind: Any, tree: object) -> object:
        items = _list(tree)
        kinds = _types(kind)
        if len(items) != len(kinds):
            raise ValueError(f"{kind.__name__} has {len(kinds)} fields, not {len(items)}")
        return kind(*(self.read(each, item) for each, item in zip(kinds, items, strict=True)))


def _list(tree: object) -> list[object]:
    return tree if isinstance(tree, list) else _wrong("a list", tree)


def _bool(tree: object) -> bool:
    return tree if isinstance(tree, bool) else _wrong("true or false", tree)


def _int(tree: object) -> int:
    whole = isinstance(tree, int) and not isinstance(tree, bool)
    return tree if isinstance(tree, int) and whole else _wrong("a whole number", tree)


def _float(tree: object) -> float:
    return float(tree) if isinstance(tree, float) else float(_int(tree))


def _str(tree: object) -> str:
    return tree if isinstance(tree, str) else _wrong("text", tree)


def _none(tree: object) -> None:
    return None if tree is None else _wrong("null", tree)


def _fraction(tree: object) -> Fraction:
    numbers = [_int(item) for item in _list(tree)]
    if len(numbers) != 2 or numbers[1] <= 0:
        raise ValueError("a fraction is two whole numbers, the second above zero")
    return Fraction(*numbers)


_SCALARS: Final[dict[Any, Callable[[Any], object]]] = {
    bool: _bool,
    int: _int,
    float: _float,
    str: _str,
    NoneType: _none,
    Fraction: _fraction,
}
