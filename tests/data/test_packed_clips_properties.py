"""Packing loses no clip and counts none twice, on any number of ranks; padding stands at ends and counts for nothing."""

import pytest
import torch

from reidar_plugin.data.packed_clips import FullBatches, TrackletMean, plan_clips
from reidar_plugin.ranks.job import Job
from tests.properties import given, holds, some

SIZES = some.lists(some.integers(1, 30), min_size=1, max_size=12)


@holds
@given(n=some.integers(1, 80), size=some.integers(1, 12), ranks=some.integers(1, 5))
def test_ranks_share_the_clips(n: int, size: int, ranks: int) -> None:
    alone = list(FullBatches(n, size))
    shared = [batch for rank in range(ranks) for batch in FullBatches(n, size, Job(rank, ranks))]
    assert [clip for batch in alone for clip in batch if clip >= 0] == list(range(n))
    assert [batch for batch in shared if batch[0] >= 0] == alone
    for batch in [*alone, *shared]:
        assert len(batch) == size
        assert -1 not in batch or set(batch[batch.index(-1) :]) == {-1}


@holds
@given(sizes=SIZES, length=some.integers(1, 8), size=some.integers(1, 7), seed=some.integers(0, 99))
def test_the_mean_of_a_tracklet_does_not_depend_on_the_batches(
    sizes: list[int], length: int, size: int, seed: int
) -> None:
    plan = plan_clips(sizes, length)
    values = torch.randn(len(plan.tracklets), 3, generator=torch.Generator().manual_seed(seed))
    mean = TrackletMean(len(sizes))
    for batch in FullBatches(len(values), size):
        clips = torch.tensor(batch)
        tracklets = torch.tensor([-1 if clip < 0 else int(plan.tracklets[clip]) for clip in batch])
        mean.add(torch.where(clips[:, None] < 0, 1e9, values[clips]), tracklets)
    for tracklet, found in enumerate(mean.result()):
        own = [values[clip].tolist() for clip, owner in enumerate(plan.tracklets) if owner == tracklet]
        assert found.tolist() == pytest.approx(
            [sum(column) / len(own) for column in zip(*own, strict=True)], abs=1e-6
        )
