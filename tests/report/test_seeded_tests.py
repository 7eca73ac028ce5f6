"""A figure of several runs as one array."""

from dataclasses import replace

import numpy as np
import pytest

from reidar_plugin.report.seeded_tests import Test as ResultsTest
from reidar_plugin.report.seeded_tests import stacked
from tests.tools.test_compare import made_up


def test_any_rank_is_known() -> None:
    results = made_up(1.2)
    test = ResultsTest(results, 0)
    assert np.array_equal(test.each("rank-1"), results.per_query["0/rank-1"])
    assert test.each("rank-5").mean() == pytest.approx(test.record["metrics"]["rank-5"])
    assert test.each("rank-1").mean() < test.each("rank-5").mean()


def test_runs_of_other_tests_are_refused() -> None:
    tests = [ResultsTest(made_up(noise), 1) for noise in (1.0, 1.2)]
    figures, people = stacked(tests, "mAP", "street")
    assert figures.shape == (2, len(people))
    assert figures[1].mean() == pytest.approx(tests[1].record["metrics"]["mAP"])
    other = replace(tests[1].results, retrieval=made_up(1.2, people=30).retrieval)
    with pytest.raises(ValueError, match="street: runs were tested on other queries"):
        stacked([tests[0], ResultsTest(other, 1)], "mAP", "street")
