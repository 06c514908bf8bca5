"""What a worker keeps of its server, asked of the kernel."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.helpers.eventually import eventually
from transcode.process import WorkerProcess


async def test_a_worker_inherits_no_secret_and_may_write_no_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "cloud")
    monkeypatch.setenv("VITRINE_ADMIN_TOKEN", "operator")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    worker = await WorkerProcess.spawn()
    try:
        await eventually(
            lambda: resource.prlimit(worker.pid, resource.RLIMIT_FSIZE) == (0, 0), seconds=30
        )
        assert resource.prlimit(worker.pid, resource.RLIMIT_CORE) == (0, 0)
        assert resource.prlimit(worker.pid, resource.RLIMIT_NOFILE)[1] <= 256
        held = Path(f"/proc/{worker.pid}/environ").read_bytes().split(b"\0")  # noqa: ASYNC240
        names = {variable.partition(b"=")[0] for variable in held}
        assert not names & {b"AWS_SECRET_ACCESS_KEY", b"VITRINE_ADMIN_TOKEN", b"HOME"}
        assert {b"PATH", b"MALLOC_ARENA_MAX", b"CUDA_VISIBLE_DEVICES"} <= names
    finally:
        assert await worker.end() == 0
