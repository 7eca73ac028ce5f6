"""Nearest neighbours against a stable sort of all distances."""

import pytest
import torch

from reidar_plugin.metrics.distances import pairwise_distances, prepare_features
from reidar_plugin.metrics.neighbours import nearest_neighbours, smallest


@pytest.mark.parametrize("levels", [0, 3], ids=["all different", "many ties"])
def test_smallest_is_a_stable_sort(levels: int) -> None:
    draw = torch.Generator().manual_seed(0)
    distances = torch.rand(20, 50, generator=draw)
    if levels:
        distances = (distances * levels).floor()
    values, indices = distances.sort(dim=1, stable=True)
    found, found_indices = smallest(distances, 7)
    assert torch.equal(found, values[:, :7])
    assert torch.equal(found_indices, indices[:, :7])


def test_smallest_gives_all_where_there_are_fewer() -> None:
    values, indices = smallest(torch.tensor([[3.0, 1.0, 1.0]]), 9)
    assert values.tolist() == [[1.0, 1.0, 3.0]]
    assert indices.tolist() == [[1, 2, 0]]


@pytest.mark.parametrize("elements", [1, 400, 2**22], ids=["one row", "six rows", "all at once"])
def test_one_pass_sees_all_distances(elements: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reidar_plugin.metrics.distances.CPU_BLOCK", elements)
    half = (3 * torch.randn(30, 8, generator=torch.Generator().manual_seed(6))).round()
    everyone = half.repeat(2, 1)  # whole numbers and twins: exact ties
    distances = pairwise_distances(everyone, everyone)
    values, indices = distances.sort(dim=1, stable=True)
    found = nearest_neighbours(prepare_features(everyone), queries=17, count=8)
    assert torch.equal(found.distances, values[:, :8])
    assert torch.equal(found.indices, indices[:, :8])
    assert torch.equal(found.farthest, distances.amax(dim=1))
    assert torch.equal(found.query_gallery, distances[:17, 17:])
