"""Reads a tree of Python files as modules and imports, by `ast` alone, and judges them.

A `Plan` says on which floor each module stands; `judge` returns one sentence per breach.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter
from pathlib import Path


class Floor(Enum):
    """Where a module stands: its height, and what its kind may not import."""

    VALUES = "values"
    PURE = "pure"
    NATIVE = "native"
    ADAPTERS = "adapters"
    SERVICES = "services"
    EDGE = "edge"
    COMPOSE = "compose"

    @property
    def height(self) -> int:
        return {"values": 0, "pure": 1, "native": 1, "adapters": 2, "services": 3, "edge": 4}.get(
            self.value, 5
        )


IMPURE = frozenset(
    {
        "asyncio",
        "multiprocessing",
        "os",
        "random",
        "secrets",
        "select",
        "selectors",
        "signal",
        "socket",
        "ssl",
        "subprocess",
        "threading",
        "time",
    }
)
LOOPS = frozenset({"asyncio", "selectors", "socket"})
CODECS = frozenset({"av", "cv2"})
BELOW_THE_EDGE = (Floor.VALUES, Floor.PURE, Floor.NATIVE, Floor.ADAPTERS, Floor.SERVICES)


@dataclass(frozen=True, slots=True)
class Plan:
    """The building: first matching pattern wins; folders name the folders they may import."""

    floors: tuple[tuple[Floor, str], ...]
    folders: Mapping[str, frozenset[str]]
    codec_users: Mapping[str, str]
    """Patterns of modules above the native floor that may import av or cv2: reason."""
    late_imports: Mapping[tuple[str, str], str]
    """(module, imported) that a function may import: reason."""

    def floor(self, module: str) -> Floor | None:
        return next((floor for floor, p in self.floors if fnmatchcase(module, p)), None)


@dataclass(frozen=True, slots=True)
class Import:
    module: str
    """The imported module's full name; of our own files, the file that is meant."""
    inner: bool
    """Inside a function or method."""


@dataclass(frozen=True, slots=True)
class Source:
    name: str
    imports: tuple[Import, ...]
    reads_clock: bool
    """Calls datetime.now, utcnow or today."""

    @property
    def folder(self) -> str:
        return self.name.partition(".")[0]


def read_tree(root: Path, folders: tuple[str, ...]) -> dict[str, Source]:
    """Read every module below the folders of `root`."""
    texts = {}
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            texts[name] = path.read_text(encoding="utf-8")
    return read(texts)


def read(texts: Mapping[str, str]) -> dict[str, Source]:
    """Read modules given as name -> text."""
    return {name: _source(name, text, frozenset(texts)) for name, text in texts.items()}


def _source(name: str, text: str, known: frozenset[str]) -> Source:
    tree = ast.parse(text, name)
    imports = tuple(dict.fromkeys(_imports(tree, known, inner=False)))
    clock = any(
        isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "today"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"datetime", "date"}
        for node in ast.walk(tree)
    )
    return Source(name, imports, clock)


def _imports(node: ast.AST, known: frozenset[str], *, inner: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, inner) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            for alias in child.names:
                whole = f"{base}.{alias.name}"
                yield Import(whole if whole in known else base, inner)
        else:
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, known, inner=inner or function)


def judge(sources: Mapping[str, Source], plan: Plan) -> list[str]:
    """Return every breach of the plan, one sentence each."""
    breaches = []
    for source in sources.values():
        floor = plan.floor(source.name)
        if floor is None:
            breaches.append(f"{source.name} stands on no floor: add it to the plan")
            continue
        breaches += _own_breaches(source, floor, plan)
        for item in source.imports:
            breaches += _import_breaches(source, floor, item, plan)
    return [*breaches, *_cycles(sources)]


def _own_breaches(source: Source, floor: Floor, plan: Plan) -> Iterator[str]:
    if source.reads_clock and floor in {Floor.VALUES, Floor.PURE}:
        yield f"{source.name} is {floor.value} and reads the clock"
    for item in source.imports:
        if item.inner and (source.name, item.module) not in plan.late_imports:
            yield f"{source.name} imports {item.module} inside a function"


def _import_breaches(source: Source, floor: Floor, item: Import, plan: Plan) -> Iterator[str]:
    top = item.module.partition(".")[0]
    if top in plan.folders:
        yield from _own_import_breaches(source, floor, item, plan)
    elif floor is Floor.VALUES and top not in sys.stdlib_module_names:
        yield f"{source.name} is values and imports {item.module}, not of the standard library"
    if top in IMPURE and floor in {Floor.VALUES, Floor.PURE}:
        yield f"{source.name} is {floor.value} and imports {item.module}"
    if top in LOOPS and floor is Floor.NATIVE:
        yield f"{source.name} is native and imports {item.module}"
    codecs_allowed = any(fnmatchcase(source.name, pattern) for pattern in plan.codec_users)
    if top in CODECS and floor is not Floor.NATIVE and not codecs_allowed:
        yield f"{source.name} is not native and imports {item.module}"
    if top == "aiohttp" and floor in BELOW_THE_EDGE:
        yield f"{source.name} is below the edge and imports {item.module}"


def _own_import_breaches(source: Source, floor: Floor, item: Import, plan: Plan) -> Iterator[str]:
    other = item.module.partition(".")[0]
    allowed = plan.folders[source.folder]
    if other != source.folder and other not in allowed and item.module not in allowed:
        yield f"{source.name} imports {item.module}: {source.folder} may not"
    target = plan.floor(item.module)
    if target is None:
        return
    if target.height > floor.height:
        yield f"{source.name} ({floor.value}) imports {item.module} ({target.value}): upwards"
    if target is Floor.NATIVE and floor is Floor.PURE:
        yield f"{source.name} is pure and imports {item.module}, which is native"


def _cycles(sources: Mapping[str, Source]) -> Iterator[str]:
    graph = {
        source.name: {item.module for item in source.imports if item.module in sources}
        for source in sources.values()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield "a cycle of imports: " + " -> ".join(reversed(error.args[1]))
