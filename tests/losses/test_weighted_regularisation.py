import math

import pytest
import torch

from reidar_plugin.losses import WeightedRegularisationTriplet, weighted_regularisation_triplet
from tests.losses.paired import ANCHORS, FEATURES, PIDS, negatives, positives


@pytest.mark.parametrize("itself", [False, True], ids=["as printed", "as released"])
def test_matches_the_definition(itself: bool) -> None:
    rows, terms = FEATURES.tolist(), []
    for i, row in enumerate(rows):
        if not positives(i):
            continue
        far = [math.dist(row, rows[j]) for j in positives(i)] + [0.0] * itself
        near = [math.dist(row, rows[j]) for j in negatives(i)]
        pulled = sum(math.exp(d) * d for d in far) / sum(math.exp(d) for d in far)
        pushed = sum(math.exp(-d) * d for d in near) / sum(math.exp(-d) for d in near)
        terms.append(math.log(1 + math.exp(pulled - pushed)))
    assert len(terms) == ANCHORS
    value = weighted_regularisation_triplet(FEATURES, PIDS, itself)
    assert value.item() == pytest.approx(sum(terms) / ANCHORS, rel=1e-6 if itself else 1e-9)


def test_by_hand() -> None:  # positive at 5, negative at 5, from either of the two anchors: ln (1 + e^0)
    features = torch.tensor([[0.0, 0.0], [3.0, 4.0], [4.0, -3.0], [7.0, 1.0]])
    value = weighted_regularisation_triplet(features[:3], torch.tensor([1, 1, 2]))
    far = math.hypot(1, 7)  # the second anchor's negative is farther
    assert value.item() == pytest.approx((math.log(2) + math.log(1 + math.exp(5 - far))) / 2)


def test_normalises() -> None:
    unit = torch.nn.functional.normalize(FEATURES)
    value = weighted_regularisation_triplet(FEATURES, PIDS, normalise=True)
    torch.testing.assert_close(value, weighted_regularisation_triplet(unit, PIDS))
    assert value != weighted_regularisation_triplet(FEATURES, PIDS)


def test_module_passes_its_options() -> None:
    value = WeightedRegularisationTriplet(include_anchor=True, normalise=True)(FEATURES, PIDS)
    assert value == weighted_regularisation_triplet(FEATURES, PIDS, True, True)


def test_refuses_pids_of_another_length() -> None:
    with pytest.raises(ValueError, match=r"got \(8, 3\) and \(5,\)"):
        weighted_regularisation_triplet(FEATURES, PIDS[:5])
