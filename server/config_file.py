"""Where configuration comes from: a YAML file, the environment, the command line.

Every value remembers its place, so that every problem is told with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from server.config_words import words
from server.config_yaml import Key, YamlError, parse

PREFIX = "VITRINE_"
MAX_BYTES = 1_048_576
_M = TypeVar("_M", bound=BaseModel)


class ConfigError(Exception):
    """The configuration is wrong. `problems`: one line each, with its place and key."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class KeyProblems(ValueError):
    """For validators of a whole section: `problems` are key and what is wrong, one by one.

    A key of an inner section is dotted.
    """

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{key}: {problem}" for key, problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers above the defaults, lowest first, and the place of each key in them."""

    values: tuple[dict[str, object], ...]
    places: dict[Key, str]
    problems: tuple[str, ...]
    """Found before any value was looked at."""

    def validated(self, model: type[_M], base: dict[str, object]) -> _M:
        """Lay the layers over `base` and check the whole. Raises ConfigError."""
        whole: object = base
        for layer in self.values:
            whole = _merged(whole, layer)
        problems = list(self.problems)
        try:
            config = model.model_validate(whole)
        except ValidationError as error:
            problems += self._told(error, model)
            raise ConfigError(*problems) from None
        if problems:
            raise ConfigError(*problems)
        return config

    def _told(self, error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
        for item in error.errors(include_url=False, include_input=False):
            key, context = item["loc"], item.get("ctx", {})
            match context.get("error"):
                case KeyProblems(problems=problems):
                    told = [((*key, *inner.split(".")), problem) for inner, problem in problems]
                case _:
                    bounds = _bounds(model, key)
                    told = [(key, words(item["type"], {**bounds, **context}, item["msg"]))]
            for where, message in told:
                yield _line(self._place(where), where, message)

    def _place(self, key: Key) -> str:
        # A missing key has no place of its own: that of what should hold it is told.
        for length in range(len(key), 0, -1):
            if key[:length] in self.places:
                return self.places[key[:length]]
        # Nor has a section that is wrong as a whole, in the environment: its first key has.
        inner = (place for known, place in self.places.items() if known[: len(key)] == key)
        return next(inner, "default")


def _bounds(model: type[BaseModel], key: Key) -> dict[str, object]:
    """Tell between what (`ge`, `le`) a key's value must be, where both are known."""
    found: object = model
    for name in key[:-1]:
        fields = getattr(found, "model_fields", {})
        found = fields[name].annotation if name in fields else None
    field = getattr(found, "model_fields", {}).get(key[-1]) if key else None
    bounds: dict[str, object] = {}
    for rule in field.metadata if field is not None else ():
        for side in ("ge", "le"):
            if (bound := getattr(rule, side, None)) is not None:
                bounds[side] = bound
    return bounds if len(bounds) == 2 else {}


def read_layers(
    path: Path | None, environment: Mapping[str, str], overrides: Mapping[str, object]
) -> Layers:
    """Read what is given. Raises ConfigError for a file that cannot be read as YAML at all."""
    places: dict[Key, str] = {}
    problems: list[str] = []
    file = _read_file(path, places, problems) if path is not None else {}
    environment_layer = _read_environment(environment, places, problems)
    given: dict[str, object] = {}
    for name, value in overrides.items():
        if value is not None:
            key = tuple(name.split("."))
            _set(given, key, value)
            places[key] = "command line"
    return Layers((file, environment_layer, given), places, tuple(problems))


def _read_file(path: Path, places: dict[Key, str], problems: list[str]) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path}: is larger than {MAX_BYTES} bytes")
    try:
        document = parse(data)
    except YamlError as error:
        raise ConfigError(f"{path}:{error.line}: {error}") from error
    content = document.content
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}:1: must hold sections like `server:`")
    for mark in document.marks:
        places[mark.key] = f"{path}:{mark.line}"
        if mark.doubled:
            problems.append(_line(places[mark.key], mark.key, "stands here for a second time"))
    # A section with nothing but comments in it is empty, not wrong.
    return {str(name): {} if value is None else value for name, value in content.items()}


def _read_environment(
    environment: Mapping[str, str], places: dict[Key, str], problems: list[str]
) -> dict[str, object]:
    layer: dict[str, object] = {}
    for name in sorted(environment):
        # VITRINE_ADMIN_TOKEN and the like, without a section, are no configuration keys.
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        key = tuple(name.removeprefix(PREFIX).lower().split("__"))
        try:
            value = parse(environment[name]).content
            _set(layer, key, environment[name] if value is None else value)
        except (YamlError, ValueError) as error:
            problems.append(_line(name, key, f"cannot be read: {error}"))
        places[key] = name
    return layer


def _set(layer: dict[str, object], key: tuple[str, ...], value: object) -> None:
    inner = layer
    for name in key[:-1]:
        deeper = inner.setdefault(name, {})
        if not isinstance(deeper, dict):
            raise ValueError("a value stands where a section is needed")
        inner = deeper
    inner[key[-1]] = value


def _merged(below: object, above: object) -> object:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    merged = dict(below)
    for name, value in above.items():
        merged[name] = _merged(merged[name], value) if name in merged else value
    return merged


def _line(place: str, key: Key, message: str) -> str:
    return f"{place}: {'.'.join(str(part) for part in key)}: {message}"
