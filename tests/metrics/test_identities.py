"""Identities against brute force: every pair of tracklets, every one-to-one match of people."""

import itertools
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from reidar_plugin.errors import InputError
from reidar_plugin.metrics.identities import identity_scores, pair_scores


class Camera(NamedTuple):
    frame: NDArray[np.int64]
    track: NDArray[np.int64]
    box: NDArray[np.float64]


def made_up(seed: int, people: int = 4, frames: int = 12) -> tuple[Camera, Camera]:
    """A camera's truth, and boxes that tremble, go missing and often have another's name."""
    random = np.random.default_rng(seed)
    frame = np.repeat(np.arange(frames), people)
    track = np.tile(np.arange(people), frames)
    box = np.column_stack([30.0 * track + random.uniform(0, 12, len(track)), np.zeros(len(track))])
    box = np.column_stack([box, np.full(len(track), 25.0), np.full(len(track), 50.0)])
    kept = random.random(len(track)) < 0.8
    names = np.where(random.random(len(track)) < 0.3, random.integers(0, 5, len(track)), track) + 10
    moved = box + np.array([1.0, 0, 0, 0]) * random.uniform(-14, 14, len(track))[:, None]
    keys = frame * 100 + names  # a name once a frame
    kept &= np.isin(np.arange(len(track)), np.unique(keys, return_index=True)[1])
    return Camera(frame[kept], names[kept], moved[kept]), Camera(frame, track, box)


def iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(wide, 0.0) * max(high, 0.0)
    return float(both / (a[2] * a[3] + b[2] * b[3] - both))


def most_matched(found: list[Camera], true: list[Camera]) -> int:
    """The best of all ways to give true people to those found."""
    mine = sorted({int(track) for each in found for track in each.track})
    theirs = sorted({int(track) for each in true for track in each.track})
    hits = dict.fromkeys(itertools.product(mine, theirs), 0)
    for one, other in zip(found, true, strict=True):
        for i, j in itertools.product(range(len(one.frame)), range(len(other.frame))):
            if one.frame[i] == other.frame[j] and iou(one.box[i], other.box[j]) >= 0.5:
                hits[int(one.track[i]), int(other.track[j])] += 1
    theirs += [-1] * len(mine)  # or nobody
    return max(
        sum(hits.get(pair, 0) for pair in zip(mine, order, strict=False))
        for order in set(itertools.permutations(theirs[: len(mine) + 2], len(mine)))
    )


@pytest.mark.parametrize("seed", range(4))
def test_idf1_is_the_best_of_all_matches(seed: int) -> None:
    found, true = zip(*(made_up(10 * seed + camera) for camera in range(2)), strict=True)
    scores = identity_scores(found, true)
    assert scores.matched == most_matched(list(found), list(true))
    alone = sum(identity_scores([f], [t]).matched for f, t in zip(found, true, strict=True))
    assert 0 < scores.matched <= alone
    assert (scores.found, scores.true) == tuple(sum(len(c.frame) for c in side) for side in (found, true))
    assert scores.idp == scores.matched / scores.found
    assert scores.idr == scores.matched / scores.true
    assert scores.idf1 == pytest.approx(2 * scores.idp * scores.idr / (scores.idp + scores.idr))
    assert 0.2 < scores.idf1 < 0.95


def test_of_one_camera_it_is_what_trackers_say() -> None:
    identity = pytest.importorskip("trackers.eval.identity")
    found, true = made_up(5)
    frames = range(int(true.frame.max()) + 1)
    here = [(true.frame == f, found.frame == f) for f in frames]
    overlap = [np.array([[iou(a, b) for b in found.box[f]] for a in true.box[t]]).reshape(t.sum(), f.sum())
               for t, f in here]  # fmt: skip
    ids = [true.track[t] for t, _ in here], [found.track[f] for _, f in here]
    theirs = identity.compute_identity_metrics(*ids, overlap)
    ours = identity_scores([found], [true])
    assert (ours.idf1, ours.idp, ours.idr, ours.matched) == pytest.approx(
        tuple(theirs[name] for name in ("IDF1", "IDP", "IDR", "IDTP"))
    )


def test_one_name_in_two_cameras_is_one_person() -> None:
    """Right in each camera alone, but the names are exchanged in the second."""
    box = np.tile([[0.0, 0.0, 10.0, 20.0], [50.0, 0.0, 10.0, 20.0]], (3, 1))
    frame, track = np.repeat(np.arange(3), 2), np.tile([1, 2], 3)
    true, turned = Camera(frame, track, box), Camera(frame, 3 - track, box)
    assert identity_scores([true, true], [true, true]).idf1 == 1.0
    assert identity_scores([turned], [true]).idf1 == 1.0
    assert identity_scores([true, turned], [true, true]).idf1 == 0.5


def test_an_overlap_of_exactly_a_half_counts() -> None:
    true = Camera(np.zeros(1, int), np.zeros(1, int), np.array([[0.0, 0.0, 10.0, 10.0]]))
    half = true._replace(box=np.array([[0.0, 0.0, 10.0, 5.0]]))
    less = true._replace(box=np.array([[0.0, 0.0, 10.0, 4.9]]))
    assert identity_scores([half], [true]).matched == 1
    assert identity_scores([less], [true]).matched == 0
    with pytest.raises(InputError, match="got 1 found and 2 true"):
        identity_scores([true], [true, true])


@pytest.mark.parametrize("seed", range(5))
def test_pairs_against_all_pairs(seed: int) -> None:
    random = np.random.default_rng(seed)
    found, true = random.integers(0, 6, 40), random.integers(0, 4, 40)
    pairs = list(itertools.combinations(range(40), 2))
    put = {pair for pair in pairs if found[pair[0]] == found[pair[1]]}
    same = {pair for pair in pairs if true[pair[0]] == true[pair[1]]}
    scores = pair_scores(found, true)
    assert scores.precision == len(put & same) / len(put)
    assert scores.recall == len(put & same) / len(same)
    assert scores.f1 == pytest.approx(2 * len(put & same) / (len(put) + len(same)))
    assert (scores.people_found, scores.people_true) == (len(set(found.tolist())), len(set(true.tolist())))


def test_pairs_without_pairs() -> None:
    alone, all_one = np.arange(4), np.zeros(4, int)
    assert pair_scores(alone, alone)[:3] == (1.0, 1.0, 1.0)
    assert pair_scores(alone, all_one)[:3] == (1.0, 0.0, 0.0)
    assert pair_scores(all_one, alone)[:3] == (0.0, 1.0, 0.0)
    with pytest.raises(InputError, match=r"got \(4,\) and \(3,\)"):
        pair_scores(alone, alone[:3])
