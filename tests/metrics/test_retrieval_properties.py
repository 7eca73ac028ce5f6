"""Whatever people and cameras there are: figures are those of the definitions, also where distances are equal."""

import pytest
import torch

from reidar_plugin.metrics.protocols import TrackletFeatures, protocols_of
from reidar_plugin.metrics.retrieval import rank_distances
from tests.properties import given, holds, some

PERSON = some.tuples(some.integers(0, 4), some.integers(0, 2))  # and camera
DISTANCE = some.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


def definition(
    distances: list[list[float]], query: list[tuple[int, int]], gallery: list[tuple[int, int]]
) -> list[tuple[float, float, int] | None]:
    """AP, INP and rank of the first match of each query, by walking down its list; None without a match."""
    found: list[tuple[float, float, int] | None] = []
    for row, (pid, camera) in zip(distances, query, strict=True):
        listed = sorted(
            (distance, place) for place, distance in enumerate(row) if gallery[place] != (pid, camera)
        )
        hits = [rank for rank, (_, place) in enumerate(listed, start=1) if gallery[place][0] == pid]
        precisions = [number / rank for number, rank in enumerate(hits, start=1)]
        found.append((sum(precisions) / len(hits), len(hits) / hits[-1], hits[0]) if hits else None)
    return found


@holds
@given(data=some.data(), q=some.integers(1, 6), g=some.integers(1, 12))
def test_figures_are_those_of_the_definition(data: some.DataObject, q: int, g: int) -> None:
    query = data.draw(some.lists(PERSON, min_size=q, max_size=q))
    gallery = data.draw(some.lists(PERSON, min_size=g, max_size=g))
    rows = some.lists(DISTANCE, min_size=g, max_size=g)
    distances = data.draw(some.lists(rows, min_size=q, max_size=q))
    expected = definition(distances, query, gallery)
    given_ = (distances, *([each[side] for each in who] for side in (0, 1) for who in (query, gallery)))
    if not any(expected):
        with pytest.raises(ValueError, match="quer"):
            rank_distances(*given_)
        return
    found = rank_distances(*given_)
    told = [each for each in expected if each is not None]
    assert found.valid.tolist() == [each is not None for each in expected]
    assert found.average_precision.tolist() == pytest.approx([each[0] for each in told])
    assert found.inverse_penalty.tolist() == pytest.approx([each[1] for each in told])
    assert found.first_match.tolist() == [each[2] for each in told]
    assert found.cmc(1) == pytest.approx(sum(each[2] == 1 for each in told) / len(told))


@holds
@given(
    query=some.lists(PERSON, min_size=1, max_size=9),
    gallery=some.lists(PERSON, max_size=9),
)
def test_protocols_choose_whom_they_name(
    query: list[tuple[int, int]], gallery: list[tuple[int, int]]
) -> None:
    def side(who: list[tuple[int, int]], first: int) -> TrackletFeatures:
        numbers = torch.arange(first, first + len(who)).float()[:, None]
        table = torch.tensor(who, dtype=torch.int64).view(-1, 2)
        return TrackletFeatures(numbers, table[:, 0], table[:, 1])

    usual, clean, mixing = (
        protocol.select(side(query, 0), side(gallery, 100)) for protocol in protocols_of("mars")
    )
    all_, numbers = list(range(100, 100 + len(gallery))), list(range(len(query)))
    assert all(chosen.features.flatten().tolist() == numbers for chosen, _ in (usual, clean, mixing))
    assert usual[1].features.flatten().tolist() == all_
    assert clean[1].features.flatten().tolist() == [
        at for at, (pid, _) in zip(all_, gallery, strict=True) if pid
    ]
    assert sorted(mixing[1].features.flatten().tolist()) == numbers + all_
