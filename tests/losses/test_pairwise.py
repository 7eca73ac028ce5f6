import math

import pytest
import torch

from reidar_plugin.losses.pairwise import (
    cosine_similarities,
    euclidean_distances,
    same_person,
    squared_distances,
)

FEATURES = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("normalise", [False, True], ids=["raw", "unit"])
def test_distances_match_the_definition(normalise: bool) -> None:
    rows = FEATURES.tolist()
    if normalise:
        rows = [[x / math.hypot(*row) for x in row] for row in rows]
    expected = [[max(math.dist(a, b), 1e-6) for b in rows] for a in rows]
    found = euclidean_distances(FEATURES, normalise)
    off_diagonal = ~torch.eye(5, dtype=torch.bool)
    torch.testing.assert_close(found[off_diagonal], torch.tensor(expected).double()[off_diagonal])
    torch.testing.assert_close(squared_distances(FEATURES, normalise), found.square())


def test_equal_rows_are_at_the_floor_with_no_gradient() -> None:
    features = torch.ones(3, 4, requires_grad=True)
    distances = euclidean_distances(features)
    torch.testing.assert_close(distances, torch.full((3, 3), 1e-6), rtol=1e-3, atol=0)
    distances.sum().backward()
    assert features.grad is not None
    assert not features.grad.any()


def test_cosine_of_a_row_of_zeros_is_zero() -> None:
    features = torch.tensor([[0.0, 0.0], [3.0, 4.0], [-4.0, 3.0]])
    expected = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(cosine_similarities(features), expected)


def test_cosine_of_tiny_rows_is_that_of_large_ones() -> None:
    features = FEATURES.float()
    torch.testing.assert_close(cosine_similarities(1e-8 * features), cosine_similarities(features))


def test_pairs_leave_out_a_clip_with_itself() -> None:
    positive, negative = same_person(torch.tensor([7, 2, 7]))
    assert positive.tolist() == [[False, False, True], [False, False, False], [True, False, False]]
    assert negative.tolist() == [[False, True, False], [True, False, True], [False, True, False]]
