"""Cases alike many others, which run in `make soak` and not in `make test`."""

from __future__ import annotations

import pytest
from _pytest.mark.structures import ParameterSet


def rare(*values: object) -> ParameterSet:
    """Make a case for `pytest.mark.parametrize` that `make soak` runs."""
    return pytest.param(*values, marks=pytest.mark.soak)
