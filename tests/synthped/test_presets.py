"""Sizes of sets, and lengths of tracklets."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.synthped.presets import LENGTHS, PRESETS, tracklet_lengths
from reidar_plugin.synthped.seeded_random import SeededRandom

INFO = Path(__file__).resolve().parents[2] / "../shared/mars/info"


@pytest.mark.shared
@pytest.mark.skipif(not INFO.is_dir(), reason=f"needs the real tables in {INFO}")
@pytest.mark.parametrize("kind", sorted(LENGTHS))
def test_lengths_are_spread_as_in_mars(kind: str) -> None:
    from scipy.io import loadmat

    train = loadmat(INFO / "tracks_train_info.mat")["track_train_info"]
    test = loadmat(INFO / "tracks_test_info.mat")["track_test_info"]
    rows = {
        "train": train,
        "test": test[test[:, 2] > 0],
        "distractor": test[test[:, 2] == 0],
        "junk": test[test[:, 2] < 0],
    }
    real = np.sort(rows[kind][:, 1] - rows[kind][:, 0] + 1)
    ours = np.sort(tracklet_lengths(kind, len(real), 1.0, SeededRandom(0)))
    grid = np.arange(1, 930)
    gap = np.abs(np.searchsorted(real, grid, "right") - np.searchsorted(ours, grid, "right")).max() / len(
        real
    )
    assert gap < 0.035  # Kolmogorov and Smirnov
    assert abs(ours.sum() / real.sum() - 1) < 0.03


def test_lengths_by_hand() -> None:
    assert sorted(tracklet_lengths("train", 2, 1.0, SeededRandom(0))) == [
        18,
        88,
    ]  # between 16 and 20, 75 and 100
    assert min(tracklet_lengths("train", 400, 0.1, SeededRandom(0))) == 4
    assert tracklet_lengths("train", 50, 1.0, SeededRandom(0)) != tracklet_lengths(
        "train", 50, 1.0, SeededRandom(1)
    )  # another order


def test_presets_grow() -> None:
    assert list(PRESETS) == ["tiny", "laptop", "town", "city", "mars"]
    sizes = [
        (*preset.people, *preset.tracklets, *preset.size, preset.cameras)
        for name, preset in PRESETS.items()
        if name != "city"  # many people, few pictures of each
    ]
    for smaller, larger in pairwise(sizes):
        assert all(a <= b for a, b in zip(smaller, larger, strict=True))


@pytest.mark.parametrize("kind", sorted(LENGTHS))
def test_lengths_are_within_the_quantiles(kind: str) -> None:
    lengths = tracklet_lengths(kind, 500, 1.0, SeededRandom(0))
    assert min(LENGTHS[kind]) <= min(lengths)
    assert max(lengths) <= max(LENGTHS[kind])
    assert sum(tracklet_lengths(kind, 500, 0.5, SeededRandom(0))) == pytest.approx(sum(lengths) / 2, rel=0.01)
