"""What the repository itself promises: it names no host or machine, and its lists agree."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.helpers.floors import read_tree

ROOT = Path(__file__).resolve().parent.parent
LARGEST_KIB = 400
RUNTIME_FOLDERS = ("server", "ingest", "transcode", "overlay")
DEV_FOLDERS = ("tests", "bench")

FETCHED_FROM = re.compile(
    r'"resolved"\s*:\s*"(?:http|git|file)|--(?:extra-)?index-url|--find-links|--trusted-host'
    r"|registry\s*=\s*\S*http|\bPIP_INDEX_URL\s*="
)
MACHINE = re.compile(r"/(?:home|Users)/[a-z][\w.-]*/|/root/\w|/var/folders/|[A-Z]:\\Users")
# aiohttp's interface hands out and takes their types.
OF_AIOHTTP = {"multidict", "yarl"}
# aiortc's connections are made of its agents.
OF_AIORTC = {"aioice"}
# Says what the others may not.
JUDGES = {"tests/test_repository.py"}


def tracked() -> list[str]:
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], check=True, capture_output=True, timeout=30
    )
    return [name for name in listing.stdout.decode().split("\0") if (ROOT / name).is_file()]


def offences(names: Iterable[str], pattern: re.Pattern[str]) -> list[str]:
    found = []
    for name in names:
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        found += [
            f"{name}:{number}: {line.strip()[:120]}"
            for number, line in enumerate(text.splitlines(), 1)
            if pattern.search(line)
        ]
    return found


def canonical(requirement: str) -> str:
    """PEP 503's name of a requirement line."""
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def project() -> tuple[set[str], set[str]]:
    """Names that pyproject.toml asks for: at run time, and in all groups."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = tomllib.loads(text)
    groups = declared["dependency-groups"].values()
    runtime = {canonical(line) for line in declared["project"]["dependencies"]}
    return runtime, {canonical(line) for group in groups for line in group}


def imported(folders: tuple[str, ...]) -> set[str]:
    """Distributions that the folders' modules import, of those installed."""
    owners = packages_distributions()
    tops = {
        item.module.partition(".")[0]
        for source in read_tree(ROOT, folders).values()
        for item in source.imports
    }
    foreign = tops - set(sys.stdlib_module_names) - {*RUNTIME_FOLDERS, *DEV_FOLDERS, ""}
    unknown = {top for top in foreign if top not in owners}
    assert not unknown, f"imported and not installed: {unknown}"
    return {canonical(owners[top][0]) for top in foreign}


def pins(lock: str) -> dict[str, bool]:
    """Package -> has hashes."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    blocks = re.findall(r"^([\w.-]+)==(\S+) (.*?)(?=^\S|\Z)", text, re.DOTALL | re.MULTILINE)
    return {canonical(name): "--hash=sha256:" in rest for name, _, rest in blocks}


def test_no_file_says_where_packages_were_fetched_from() -> None:
    names = set(tracked()) - JUDGES
    assert names
    assert offences(names, FETCHED_FROM) == []


def test_no_file_names_a_machine() -> None:
    names = set(tracked()) - JUDGES
    assert offences(names, MACHINE) == []
    assert offences(names, re.compile(re.escape(f"{ROOT}/"))) == []


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        # In pieces: this file itself names none.
        ('      "resolved": ' + '"https://registry.example/x.tgz",', FETCHED_FROM),
        ("--extra-index-url " + "https://mirror.example/simple", FETCHED_FROM),
        ("registry" + "=https://npm.example/", FETCHED_FROM),
        ("see /home" + "/ann/src", MACHINE),
        ("/root" + "/key", MACHINE),
    ],
)
def test_the_patterns_find_what_they_are_for(line: str, pattern: re.Pattern[str]) -> None:
    assert pattern.search(line)


def test_no_tracked_file_is_large() -> None:
    sizes = {name: (ROOT / name).stat().st_size for name in tracked()}
    assert {n: s for n, s in sizes.items() if s > LARGEST_KIB * 1024} == {}


def test_every_direct_dependency_is_pinned_with_hashes() -> None:
    runtime, groups = project()
    locked = pins("requirements.lock")
    assert runtime <= set(locked)
    others = {**pins("requirements-dev.lock"), **pins("requirements-build.lock")}
    others |= pins("requirements-node.lock")
    assert groups <= set(others)
    assert all((locked | others).values())


def test_every_direct_dependency_has_its_reason() -> None:
    runtime, groups = project()
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w.-]+) \|", text, re.MULTILINE)
    manifest = json.loads((ROOT / "player" / "package.json").read_text(encoding="utf-8"))
    npm = {*manifest.get("dependencies", {}), *manifest.get("devDependencies", {})}
    explained = {canonical(row) for row in rows if row != "package"}
    assert explained == runtime | groups | {canonical(name) for name in npm}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    runtime, groups = project()
    assert imported(RUNTIME_FOLDERS) - OF_AIOHTTP - OF_AIORTC == runtime
    assert imported(DEV_FOLDERS) - OF_AIOHTTP - OF_AIORTC <= runtime | groups


def test_the_readme_and_ci_name_the_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "make test" in readme
    assert "exec make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_link_in_the_documents_leads_somewhere() -> None:
    documents = [name for name in tracked() if name.endswith(".md")]
    broken = []
    for name in documents:
        text = (ROOT / name).read_text(encoding="utf-8")
        broken += [
            f"{name}: {target}"
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
            if "://" not in target and not ((ROOT / name).parent / target).exists()
        ]
    assert broken == []
