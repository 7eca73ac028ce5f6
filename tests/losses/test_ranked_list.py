import math
from typing import Any

import pytest
import torch

from reidar_plugin.losses import RankedListLoss, ranked_list_loss

Rows = list[list[float]]


def unit(row: list[float]) -> list[float]:
    length = math.sqrt(sum(x * x for x in row))
    return [x / length for x in row]


def definition(
    features: Rows,
    pids: list[int],
    margin: float,
    alpha: float,
    temperature: float,
    parts: tuple[float, float],
    every: bool,
) -> tuple[float, int, int]:
    """Not 3D Re-ID, equations 5 to 10, one query at a time; and how many pairs of each kind cost."""
    total, pulls, pushes = 0.0, 0, 0
    for c, query in enumerate(features):
        positives, negatives = [], []
        for i, other in enumerate(features):
            d = math.dist(query, other)
            if i != c and pids[i] == pids[c] and (every or d > alpha - margin):
                positives.append(max(0.0, d - (alpha - margin)))
            if pids[i] != pids[c] and d < alpha:
                negatives.append((alpha - d, math.exp(temperature * (alpha - d))))
        if positives:
            total += parts[0] * sum(positives) / len(positives)
            pulls += sum(p > 0 for p in positives)
        if negatives:
            total += parts[1] * sum(h * w for h, w in negatives) / sum(w for _, w in negatives)
            pushes += len(negatives)
    return total / len(features), pulls, pushes


@pytest.mark.parametrize("every", [False, True], ids=["non-trivial", "all"])
@pytest.mark.parametrize("normalise", [True, False], ids=["unit", "raw"])
@pytest.mark.parametrize(
    ("margin", "alpha", "temperature"), [(1.3, 2.0, 1.0), (0.4, 1.3, 10.0), (0.0, 1.2, 0.0)], ids=str
)
@pytest.mark.parametrize(
    "pids", [[0, 0, 0, 1, 1, 2, 2, 2], [5, -3, 5, 9, 9, 9, 5, 7]], ids=["blocks", "mixed"]
)
def test_matches_the_definition(
    pids: list[int], margin: float, alpha: float, temperature: float, normalise: bool, every: bool
) -> None:
    features = 0.5 * torch.randn(8, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    rows = [unit(row) if normalise else row for row in features.tolist()]
    expected, pulls, pushes = definition(rows, pids, margin, alpha, temperature, (0.7, 1.6), every)
    assert 0 < pulls < 14  # some positives cost, some do not
    assert pushes > 0
    value = ranked_list_loss(
        features,
        torch.tensor(pids),
        margin=margin,
        alpha=alpha,
        temperature=temperature,
        positive_weight=0.7,
        negative_weight=1.6,
        positives="all" if every else "non-trivial",
        normalise=normalise,
    )
    assert value.item() == pytest.approx(expected, rel=1e-9)


def test_by_hand() -> None:  # a 3-4-5 triangle: two of one person, the third 5 away from both
    features = torch.tensor([[0.0, 0.0], [6.0, 0.0], [3.0, 4.0]])
    pids = torch.tensor([1, 1, 2])
    # pulled: 6 - (7 - 3) = 2 for two queries; pushed: 7 - 5 = 2 for three
    value = ranked_list_loss(features, pids, margin=3.0, alpha=7.0, normalise=False)
    assert value.item() == pytest.approx((2 * 2 + 3 * 2) / 3)


def test_positives_that_cost_nothing_count_only_with_all() -> None:
    features = torch.tensor(
        [[0.0], [1.0], [3.0]]
    )  # from the first: 1 is inside alpha - m = 2, 3 is 1 beyond it
    pids = torch.tensor([0, 0, 0])
    common: dict[str, Any] = {"margin": 1.0, "alpha": 3.0, "normalise": False}
    assert ranked_list_loss(features, pids, **common).item() == pytest.approx((1 + 0 + 1) / 3)
    assert ranked_list_loss(features, pids, **common, positives="all").item() == pytest.approx(
        (0.5 + 0 + 0.5) / 3
    )


def test_hot_temperature_leaves_the_nearest_negative() -> None:
    features = torch.tensor([[0.0], [1.0], [1.5]])
    pids = torch.tensor([0, 1, 2])
    mean = ranked_list_loss(features, pids, alpha=2.0, temperature=0.0, normalise=False)
    nearest = ranked_list_loss(features, pids, alpha=2.0, temperature=200.0, normalise=False)
    assert mean.item() == pytest.approx((0.75 + 1.25 + 1.0) / 3)
    assert nearest.item() == pytest.approx((1.0 + 1.5 + 1.5) / 3)


def test_far_negatives_and_near_positives_are_free() -> None:
    features = torch.tensor([[0.0, 1.0], [0.1, 1.0], [9.0, 1.0], [9.1, 1.0]], requires_grad=True)
    value = ranked_list_loss(features, torch.tensor([0, 0, 1, 1]), normalise=False)
    value.backward()
    assert value == 0
    assert features.grad is not None
    assert not features.grad.any()


def test_steps_on_it_gather_each_person() -> None:
    generator = torch.Generator().manual_seed(3)
    features = torch.randn(12, 8, generator=generator).requires_grad_()
    pids = torch.arange(4).repeat_interleave(3)
    loss = RankedListLoss(margin=0.6, alpha=1.2)
    before = loss(features, pids).item()
    optimiser = torch.optim.SGD([features], lr=2.0)
    for _ in range(100):
        optimiser.zero_grad()
        loss(features, pids).backward()
        optimiser.step()
    assert loss(features, pids).item() < 0.1 * before


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"alpha": 0.0}, "alpha=0.0"),
        ({"margin": -0.5}, "margin=-0.5"),
        ({"temperature": -1.0}, "temperature=-1.0"),
        ({"positives": "some"}, "'some'; choose one of 'non-trivial', 'all'"),
    ],
)
def test_refuses(numbers: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RankedListLoss(**numbers)  # type: ignore[arg-type]


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(ValueError, match=r"B >= 1, got \(0, 8\) and \(0,\)"):
        ranked_list_loss(torch.zeros(0, 8), torch.zeros(0, dtype=torch.long))
