"""Whatever likelihoods and labels there are: figures are those of the definitions, counted one tracklet at a time."""

import math
import random

import numpy as np
import pytest

from reidar_plugin.metrics.actions import average_precision, choose_thresholds, evaluate_actions
from tests.properties import given, holds, some

LIKELIHOOD = some.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])  # few: many are equal
ROW = some.one_of(some.none(), some.lists(some.booleans(), min_size=3, max_size=3))  # None: unknown
NAMES = ("walking", "riding", "trolley")


def ap(scores: list[float], truth: list[bool]) -> float:
    """Mean over the right tracklets of the precision among all that are as likely as each, or likelier."""
    shares = []
    for score, right in zip(scores, truth, strict=True):
        if right:
            there = [other for likely, other in zip(scores, truth, strict=True) if likely >= score]
            shares.append(sum(there) / len(there))
    return sum(shares) / len(shares) if shares else math.nan


def f1(scores: list[float], truth: list[bool], threshold: float) -> float:
    """Harmonic mean of precision and recall; 0 where neither is above 0."""
    said = [score >= threshold for score in scores]
    right = sum(a and b for a, b in zip(said, truth, strict=True))
    if not right:
        return 0.0
    return 2 / (sum(said) / right + sum(truth) / right)


@holds
@given(data=some.data(), count=some.integers(1, 12), threshold=some.sampled_from([0.05, 0.5, 0.75]))
def test_figures_are_those_of_the_definition(data: some.DataObject, count: int, threshold: float) -> None:
    labels = data.draw(some.lists(ROW, min_size=count, max_size=count))
    row = some.lists(LIKELIHOOD, min_size=3, max_size=3)
    likelihoods = data.draw(some.lists(row, min_size=count, max_size=count))
    known = [(scores, each) for scores, each in zip(likelihoods, labels, strict=True) if each is not None]
    told = [[math.nan] * 3 if each is None else each for each in labels]
    if not any(any(each) for _, each in known):
        with pytest.raises(ValueError, match="nothing to judge"):
            evaluate_actions(likelihoods, told, NAMES, threshold)
        return
    report = evaluate_actions(likelihoods, told, NAMES, threshold)
    assert (report.known, report.unknown) == (len(known), count - len(known))
    shown = []
    for place, found in enumerate(report.actions):
        scores, truth = [each[place] for each, _ in known], [each[place] for _, each in known]
        assert found.f1 == pytest.approx(f1(scores, truth, threshold))
        assert found.average_precision == pytest.approx(ap(scores, truth), nan_ok=True)
        shown += [found] * any(truth)
    assert report.macro.average_precision == pytest.approx(
        sum(each.average_precision for each in shown) / len(shown)
    )
    assert report.macro.f1 == pytest.approx(sum(each.f1 for each in shown) / len(shown))
    flat = [(score, right) for scores, each in known for score, right in zip(scores, each, strict=True)]
    pairs = [score for score, _ in flat], [right for _, right in flat]
    assert report.micro.f1 == pytest.approx(f1(*pairs, threshold))
    assert report.micro.average_precision == pytest.approx(ap(*pairs))


@holds
@given(
    pairs=some.lists(some.tuples(LIKELIHOOD, some.booleans()), min_size=1, max_size=12), order=some.randoms()
)
def test_average_precision_is_of_ranks_alone(pairs: list[tuple[float, bool]], order: random.Random) -> None:
    """Neither the order of tracklets nor the size of steps between likelihoods matters."""
    before = average_precision(*map(np.array, zip(*pairs, strict=True)))
    order.shuffle(pairs)
    squeezed = [(score**3 / 2, right) for score, right in pairs]
    after = average_precision(*map(np.array, zip(*squeezed, strict=True)))
    assert after == pytest.approx(before, nan_ok=True)


@holds
@given(pairs=some.lists(some.tuples(LIKELIHOOD, some.booleans()), min_size=1, max_size=12))
def test_no_other_threshold_has_a_better_f1(pairs: list[tuple[float, bool]]) -> None:
    scores, truth = [score for score, _ in pairs], [right for _, right in pairs]
    if not any(truth):
        truth[0] = True
    [chosen] = choose_thresholds([[score] for score in scores], [[right] for right in truth], NAMES[:1])
    tried = [place / 40 for place in range(42)]
    assert f1(scores, truth, chosen) == pytest.approx(max(f1(scores, truth, each) for each in tried))
