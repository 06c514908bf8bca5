"""What holds for every test: markers, time limits, and no blocking call in the event loop.

A test without a marker is a `unit` test. Interop and browser tests get a longer limit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster
from hypothesis import HealthCheck, settings

import ingest
import overlay
import server
import transcode

KINDS = ("unit", "interop", "browser", "slow")
LONG_LIMIT_SECONDS = 240
# Log lines may be written, and a traceback's source lines read, from the loop.
MAY_BLOCK = (("structlog/_base.py", "_proxy_to_logger"), ("logging/__init__.py", "handle"))
SLOW_MACHINE = (HealthCheck.too_slow,)

settings.register_profile("dev", deadline=None, suppress_health_check=SLOW_MACHINE, max_examples=40)
settings.register_profile(
    "ci", deadline=None, suppress_health_check=SLOW_MACHINE, derandomize=True, print_blob=True
)
settings.register_profile(
    "fuzz", deadline=None, suppress_health_check=SLOW_MACHINE, max_examples=5000, print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "allow_blocking(reason): the event loop may make blocking calls here"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        kinds = [kind for kind in KINDS if item.get_closest_marker(kind)]
        if not kinds:
            item.add_marker(pytest.mark.unit)
        elif kinds != ["unit"] and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LONG_LIMIT_SECONDS))


@pytest.fixture(autouse=True)
def no_blocking_calls(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make a blocking call of our own code inside a running event loop an error."""
    if request.node.get_closest_marker("allow_blocking"):
        yield
        return
    guard = BlockBuster([ingest, overlay, server, transcode])
    for function in guard.functions.values():
        for file, name in MAY_BLOCK:
            function.can_block_in(file, name)
    guard.activate()
    try:
        yield
    finally:
        guard.deactivate()
