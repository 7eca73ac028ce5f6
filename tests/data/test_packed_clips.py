"""Test batches: every clip once, one shape, and averages as if each tracklet were tested alone."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import loadmat

from reidar_plugin.data.clips import tracklet_clips
from reidar_plugin.data.loader import ClipLoader, FrameReader
from reidar_plugin.data.packed_clips import (
    FullBatches,
    PackedClips,
    TrackletMean,
    average_per_tracklet,
    plan_clips,
)
from reidar_plugin.data.tracklet_table import TrackletTable
from reidar_plugin.data.tracklets import Frames
from reidar_plugin.errors import ConfigError
from reidar_plugin.labels.spaces import ACTIONS3
from reidar_plugin.ranks.job import Job

SIZES = [5, 1, 12, 4, 3, 30]


def write_tracklets(folder: Path, sizes: list[int]) -> list[tuple[Frames, int, int, int]]:
    """Frame f of tracklet n has the colour (n, f, 0)."""
    samples = []
    for n, size in enumerate(sizes):
        paths = [str(folder / f"{n}-{f}.png") for f in range(size)]
        for f, path in enumerate(paths):
            Image.fromarray(np.full((4, 2, 3), (n, f, 0), np.uint8)).save(path)
        samples.append((Frames(paths, str(n), {"riding"}), 100 + n, n % 3, 0))
    return samples


def packed(
    samples: list[Any], batch_size: int, length: int = 4, scheme: str = "consecutive", cap: int = 0
) -> ClipLoader:
    table = TrackletTable(samples, ACTIONS3)
    plan = plan_clips([len(paths) for paths in table.paths], length, scheme, cap)
    dataset = PackedClips(table, FrameReader(4, 2), plan)
    return ClipLoader(dataset, FullBatches(len(dataset), batch_size))


@pytest.mark.parametrize("batch_size", [1, 4, 7, 64])
@pytest.mark.parametrize(("scheme", "cap"), [("consecutive", 0), ("interleaved", 2), ("first_of_parts", 0)])
def test_every_clip_comes_once_in_batches_of_one_shape(
    tmp_path: Path, batch_size: int, scheme: str, cap: int
) -> None:
    samples = write_tracklets(tmp_path, SIZES)
    expected = [
        (n, clip) for n, size in enumerate(SIZES) for clip in tracklet_clips(size, 4, scheme, cap).tolist()
    ]
    found = []
    loader = packed(samples, batch_size, 4, scheme, cap)
    batches = list(loader)
    assert len(batches) == len(loader) == -(-len(expected) // batch_size)
    for number, batch in enumerate(batches):
        assert batch.frames.shape == (batch_size, 4, 4, 2, 3)
        for i, n in enumerate(batch.tracklets.tolist()):
            if n == -1:
                assert number == len(batches) - 1
                assert not batch.frames[i].any()
                assert (batch.pids[i], batch.camids[i]) == (-1, -1)
                assert batch.labels[i].isnan().all()
            else:
                assert (batch.pids[i], batch.camids[i]) == (100 + n, n % 3)
                assert batch.labels[i].tolist() == [0, 1, 0]
                assert (batch.frames[i, ..., 0] == n).all()
                found.append((n, batch.frames[i, :, 0, 0, 1].tolist()))
    assert found == expected


@pytest.mark.parametrize("batch_size", [1, 5, 16])
def test_the_average_is_that_of_each_tracklet_alone(tmp_path: Path, batch_size: int) -> None:
    samples = write_tracklets(tmp_path, SIZES)
    network = torch.nn.Linear(4 * 4 * 2 * 3, 6)

    def features(frames: torch.Tensor) -> torch.Tensor:
        return network(frames.float().flatten(1) / 255).detach()

    mean = TrackletMean(len(SIZES))
    for batch in packed(samples, batch_size):
        mean.add(features(batch.frames), batch.tracklets)
    alone = []
    for sample in samples:
        (batch,) = packed([sample], len(tracklet_clips(len(sample[0]), 4)))
        alone.append(features(batch.frames).mean(dim=0))
    torch.testing.assert_close(mean.result(), torch.stack(alone), atol=1e-6, rtol=1e-6)


def test_average_by_hand() -> None:
    values = torch.tensor([[1.0, 10.0], [3.0, 20.0], [100.0, 100.0], [5.0, 5.0]])
    got = average_per_tracklet(values, torch.tensor([1, 1, -1, 0]), 2)
    assert got.tolist() == [[5.0, 5.0], [2.0, 15.0]]
    assert got.dtype == torch.float32
    assert average_per_tracklet(values[:, 0], torch.tensor([0, 0, 0, 0]), 1).tolist() == [27.25]


def test_half_precision_does_not_pile_up() -> None:
    values = torch.full((4000, 1), 1.0, dtype=torch.bfloat16)
    values[::2] = 1.0078125  # the next number of bfloat16
    got = average_per_tracklet(values, torch.zeros(4000, dtype=torch.int64), 1)
    assert got.item() == pytest.approx(1.00390625, abs=1e-7)


def test_the_average_has_no_graph() -> None:
    values = torch.ones(2, 3, requires_grad=True)
    assert not average_per_tracklet(values, torch.tensor([0, 0]), 1).requires_grad


def test_two_thousand_frames_need_no_more_than_a_batch(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.zeros((64, 32, 3), np.uint8)).save(path)
    table = TrackletTable([((str(path),) * 2000, 0, 0, 0), ((str(path),) * 3, 1, 0, 0)])
    dataset = PackedClips(table, FrameReader(64, 32), plan_clips([2000, 3], 4))
    assert len(dataset) == 501
    whole = 2000 * 64 * 32 * 3
    mean = TrackletMean(2)
    tracemalloc.start()
    for batch in ClipLoader(dataset, FullBatches(501, 16)):
        assert batch.frames.nbytes < whole / 30
        mean.add(batch.frames.float().mean(dim=(1, 2, 3)), batch.tracklets)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < whole
    assert mean.result().shape == (2, 3)


@pytest.mark.shared
def test_the_clips_of_mars(shared: Path) -> None:
    """1,980 queries and 9,330 gallery tracklets; the released code stops at 41 clips."""
    info = shared / "mars" / "info"
    tracks = loadmat(info / "tracks_test_info.mat")["track_test_info"]
    queries = set((loadmat(info / "query_IDX.mat")["query_IDX"].ravel() - 1).tolist())
    used = [row for number, row in enumerate(tracks) if number in queries or row[2] != -1]
    sizes = [int(row[1]) - int(row[0]) + 1 for row in used]
    assert len(sizes) == 11310
    plan = plan_clips(sizes, 4)
    assert len(plan.tracklets) == 168487
    seen = np.stack([np.repeat(plan.tracklets, 4), plan.frames.ravel()])
    assert np.unique(seen, axis=1).shape[1] == sum(sizes) == 657709
    assert len(plan_clips(sizes, 4, cap=41).tracklets) == 155727


def test_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="2 of 4 tracklets had no clip, the first is 1"):
        average_per_tracklet(torch.ones(2, 3), torch.tensor([0, 2]), 4)
    with pytest.raises(ValueError, match=r"got \(2, 3\) and \(3,\)"):
        average_per_tracklet(torch.ones(2, 3), torch.tensor([0, 1, 2]), 3)
    with pytest.raises(ValueError, match="clips of 3 tracklets, got none"):
        TrackletMean(3).result()
    with pytest.raises(ConfigError, match="at least one clip, got 0"):
        FullBatches(5, 0)
    with pytest.raises(ConfigError, match="at least one tracklet to test on, got none"):
        plan_clips([], 4)


@pytest.mark.parametrize(("clips", "ranks"), [(11, 1), (11, 2), (11, 3), (4, 3), (3, 2)])
def test_ranks_share_the_batches_of_one(clips: int, ranks: int) -> None:
    """Each batch goes to one rank as it is; whoever is left without has a batch that counts for nothing."""
    whole = list(FullBatches(clips, 2))
    parts = [FullBatches(clips, 2, Job(rank, ranks)) for rank in range(ranks)]
    assert all(len(part) == len(list(part)) >= 1 for part in parts)
    assert [batch for part in parts for batch in part if batch != [-1, -1]] == whole
    assert max(map(len, parts)) == -(-len(whole) // ranks)


def test_a_batch_of_nothing_but_padding_is_black(tmp_path: Path) -> None:
    dataset = packed(write_tracklets(tmp_path, SIZES), 3).dataset
    batch = dataset.__getitems__([-1, -1, -1])
    assert not batch.frames.any()
    assert batch.tracklets.tolist() == [-1, -1, -1]
