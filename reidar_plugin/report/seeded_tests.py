"""Tests inside results files, and a figure of several runs of them as one array for the intervals over seeds and people."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.report.results import Results

__all__ = ["Test", "stacked"]


class Test(NamedTuple):
    """One of the tests in a run's results."""

    results: Results
    number: int  #: of the test in the results, from 0

    @property
    def record(self) -> Mapping[str, Any]:
        """What the results say of it."""
        return self.results.retrieval[self.number]

    def each(self, figure: str) -> NDArray[Any]:
        """A figure of each valid query: ``mAP``, any ``rank-<k>``, or whose query it is, ``pid``."""
        known = self.results.per_query
        if f"{self.number}/{figure}" not in known and figure.startswith("rank-"):
            found: NDArray[Any] = known[f"{self.number}/first match"] <= int(figure[5:])
            return found.astype(np.float64)
        return known[f"{self.number}/{figure}"]


def stacked(tests: Sequence[Test], figure: str, where: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A figure of each query in several tests of the same queries, ``(K, V)``, and whose query it is, ``(V,)``.

    Args:
        tests: of K runs.
        figure: see :meth:`Test.each`.
        where: name of the test set, for messages.
    """
    if len({test.record["fingerprint"] for test in tests}) > 1:
        raise ValueError(f"{where}: runs were tested on other queries or galleries; test all alike")
    return np.stack([test.each(figure) for test in tests]), tests[0].each("pid")
