from __future__ import annotations

from pathlib import Path

import pytest

from server.config import Config, ConfigError, load
from server.record.object_store import S3Settings


def s3(**environment: str) -> Config:
    return load(
        None, None, {f"VITRINE_RECORDING__S3__{k.upper()}": v for k, v in environment.items()}
    )


def test_recordings_lie_in_the_data_directory_unless_told_otherwise() -> None:
    assert Config().recording.folder(Path("data")) == Path("data")
    given = load(None, {"recording.path": "/mnt/shows"})
    assert given.recording.folder(Path("data")) == Path("/mnt/shows")
    assert Config().recording.s3.settings() is None


def test_a_bucket_is_named_by_its_url() -> None:
    given = s3(
        url="s3://shows/a/b/", endpoint="http://127.0.0.1:9000", access_key_id="me",
        secret_access_key="hidden-away",
    )  # fmt: skip
    assert given.recording.s3.settings() == S3Settings(
        "shows", "a/b", "http://127.0.0.1:9000", "us-east-1", "me", "hidden-away"
    )
    assert "hidden-away" not in f"{given!r}{given.model_dump(mode='json')}"


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"url": "https://shows"}, "recording.s3.url: must be s3://BUCKET"),
        ({"url": "s3://"}, "recording.s3.url: must be s3://BUCKET"),
        ({"endpoint": "minio:9000"}, "recording.s3.endpoint: must be an http or https address"),
        ({"endpoint": "https://me:pw@x"}, "recording.s3.endpoint: must not hold keys"),
        ({"access_key_id": "me"}, "recording.s3.secret_access_key: must be set too"),
        ({"secret_access_key": "x"}, "recording.s3.access_key_id: must be set too"),
    ],
)
def test_what_cannot_be_meant_is_named(environment: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        s3(**environment)
    assert any(problem in line for line in caught.value.problems), caught.value.problems
