"""The timeline beside a recording, as it is closed whoever wrote it."""

from __future__ import annotations

import json

import pytest

from server.instant import rfc3339
from server.record.chronicle import ended


def test_what_is_open_ends_with_the_session() -> None:
    told = {"intervals": [{"start": rfc3339(5_000), "end": None}, {"start": "x", "end": "y"}]}
    closed = json.loads(ended(json.dumps(told).encode(), 9_000))
    assert closed["ended_at"] == rfc3339(9_000)
    assert [one["end"] for one in closed["intervals"]] == [rfc3339(9_000), "y"]
    assert json.loads(ended(json.dumps(closed).encode(), 10_000)) == closed


@pytest.mark.parametrize("told", ["null", "[]", "7", '{"intervals":[{}]}', '{"intervals":7}', "{"])
def test_what_is_no_timeline_is_refused_in_one_way(told: str) -> None:
    with pytest.raises(ValueError):
        ended(told.encode(), 9_000)
