"""The processes that the tests' own process has started."""

from __future__ import annotations

import contextlib

import psutil


def running(module: str) -> list[psutil.Process]:
    """Give those that run a module of ours; who comes or goes meanwhile may be left out."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if module in child.cmdline():
                found.append(child)
    return found


def darkrooms() -> list[psutil.Process]:
    return running("transcode.darkroom")
