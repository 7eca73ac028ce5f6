"""How often a property is tried: the same examples on every machine, enough of them for a second or so."""

import pytest

hypothesis = pytest.importorskip("hypothesis")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as some  # noqa: E402

__all__ = ["given", "holds", "some"]

#: Decorator of a test of a property.
holds = hypothesis.settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
