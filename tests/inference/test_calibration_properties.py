"""Whoever there is, and wherever: what a calibration says of pairs and strangers are counts of pairs and strangers."""

import numpy as np
import pytest

from reidar_plugin.inference.calibration import CalibrationError, fit_calibration
from tests.properties import given, holds, some

TRACKLET = some.tuples(some.integers(0, 3), some.integers(0, 12))  # who, and a feature of one number


@holds
@given(seen=some.lists(TRACKLET, min_size=4, max_size=14), rate=some.sampled_from([0.1, 0.2, 0.5, 1.0]))
def test_figures_are_counts(seen: list[tuple[int, int]], rate: float) -> None:
    who, where = [pid for pid, _ in seen], [place for _, place in seen]
    numbers = range(len(seen))
    apart = {(a, b): float((where[a] - where[b]) ** 2) for a in numbers for b in numbers if a != b}
    same = [apart[a, b] for a, b in apart if a < b and who[a] == who[b]]
    other = [apart[a, b] for a, b in apart if a < b and who[a] != who[b]]
    features = np.array(where, np.float32)[:, None]
    try:
        found = fit_calibration(features, np.array(who), model="m")
    except CalibrationError:
        assert not same or not other or np.mean(same) >= np.mean(other)
        return
    assert (found.same_pairs, found.other_pairs) == (len(same), len(other))

    def f1(threshold: float) -> float:
        right = sum(distance <= threshold for distance in same)
        wrong = sum(distance <= threshold for distance in other)
        return 2 * right / (right + wrong + len(same))

    right = sum(distance <= found.threshold for distance in same)
    taken = right + sum(distance <= found.threshold for distance in other)
    assert found.precision == pytest.approx(right / taken)
    assert found.recall == pytest.approx(right / len(same))
    assert f1(found.threshold) == pytest.approx(max(map(f1, apart.values())))

    nearest = sorted(min(apart[a, b] for b in numbers if who[b] != who[a]) for a in numbers)
    assert found.strangers == pytest.approx(nearest)
    for distance in (0.0, 4.0, 9.5):
        near = sum(stranger <= distance for stranger in nearest)
        assert found.false_alarms(np.array(distance)) == pytest.approx((1 + near) / (1 + len(nearest)))
    if rate >= found.lowest_rate:
        limit = found.known_up_to(rate)
        assert found.false_alarms(np.array(limit)) <= rate + 1e-9
        if limit < np.inf:  # and the next larger distance is too much
            assert found.false_alarms(np.nextafter(limit, np.inf)) > rate
