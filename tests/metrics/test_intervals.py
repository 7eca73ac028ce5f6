import itertools

import numpy as np
import pytest

from reidar_plugin.metrics.intervals import bootstrap_interval, paired_test


def test_matches_the_normal_interval_of_a_large_sample() -> None:
    values = np.random.default_rng(0).normal(5.0, 2.0, 4000)
    interval = bootstrap_interval(values, seed=1)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_covers_the_truth_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0)
    hits = 0
    for seed in range(300):
        interval = bootstrap_interval(draws.random(60) < 0.4, level=0.8, resamples=400, seed=seed)
        hits += interval.low <= 0.4 <= interval.high
    assert 0.72 < hits / 300 < 0.88


def test_exact_for_two_queries() -> None:  # means 0, 0.5, 1 with chances 1/4, 1/2, 1/4
    assert bootstrap_interval([0, 1], level=0.4) == (0.5, 0.5, 0.5)
    assert bootstrap_interval([0, 1], level=0.6) == (0.5, 0.0, 1.0)


def test_groups_are_drawn_whole() -> None:
    draws = np.random.default_rng(0)
    people = np.repeat(np.arange(40), 10)
    values = draws.normal(size=40)[people]  # queries of one person are all alike: 40 figures, not 400
    by_query, by_person = bootstrap_interval(values), bootstrap_interval(values, groups=people)
    ratio = (by_person.high - by_person.low) / (by_query.high - by_query.low)
    assert ratio == pytest.approx(np.sqrt(10), rel=0.15)
    alone = bootstrap_interval(values, groups=np.arange(400))
    assert alone == pytest.approx(by_query)


def test_same_seed_same_interval() -> None:
    values = np.random.default_rng(0).random(50)
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)


def test_p_value_is_the_share_of_signs() -> None:
    a, b = np.zeros(8), np.array([0.9, 0.4, -0.2, 0.5, 0.3, 0.1, -0.1, 0.6])
    signs = np.array(list(itertools.product((-1, 1), repeat=8)))
    exact = (np.abs(signs @ b) >= abs(b.sum()) - 1e-9).mean()
    assert 0.01 < exact < 0.2
    test = paired_test(a, b, resamples=40_000)
    assert test.p_value == pytest.approx(exact, abs=0.004)
    assert test.difference.mean == pytest.approx(b.mean())
    assert (test.better, test.worse) == (6, 2)
    turned = paired_test(b, a, resamples=40_000)
    assert turned.difference.mean == pytest.approx(-b.mean())
    assert turned.p_value == pytest.approx(test.p_value, abs=0.004)


def test_same_models_do_not_differ_and_different_ones_do() -> None:
    values = np.random.default_rng(0).random(300)
    same = paired_test(values, values)
    assert (same.p_value, same.difference) == (1.0, (0.0, 0.0, 0.0))
    better = paired_test(values, values + np.random.default_rng(1).normal(0.05, 0.1, 300))
    assert better.p_value < 0.001
    assert 0 < better.difference.low < better.difference.high


def test_false_alarms_are_as_rare_as_the_level() -> None:
    draws = np.random.default_rng(2)
    alarms = sum(
        paired_test(*draws.random((2, 40)), resamples=300, seed=s).p_value <= 0.1 for s in range(300)
    )
    assert 0.05 < alarms / 300 < 0.15


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"got shape \(0,\)"):
        bootstrap_interval([])
    with pytest.raises(ValueError, match=r"1 of 2 figures are NaN"):
        bootstrap_interval([0.5, float("nan")])
    with pytest.raises(ValueError, match=r"between 0 and 1, got 95"):
        bootstrap_interval([0.5], level=95)
    with pytest.raises(ValueError, match=r"at least one resample, got 0"):
        bootstrap_interval([0.5], resamples=0)
    with pytest.raises(ValueError, match=r"got 2 and 3 figures"):
        paired_test([0, 1], [0, 1, 1])
    with pytest.raises(ValueError, match=r"got 1 groups for 2 figures"):
        bootstrap_interval([0, 1], groups=[5])
