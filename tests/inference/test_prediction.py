"""Means over clips, against sums written out frame by frame."""

import numpy as np
import pytest
import torch

from reidar_plugin.inference.features import balanced
from reidar_plugin.inference.prediction import ClipOutputs, Prediction, PredictionMean, average


def outputs(clips: int, length: int, actions: int = 2) -> ClipOutputs:
    rng = np.random.default_rng(clips)
    attention, seen = rng.random((clips, length)), rng.random((clips, actions, length))
    return ClipOutputs(
        rng.random((clips, 3), np.float32),
        rng.random((clips, actions), np.float32),
        (attention / attention.sum(axis=1, keepdims=True)).astype(np.float32),
        (seen / seen.sum(axis=2, keepdims=True)).astype(np.float32),
    )


def test_every_frame_has_its_weights() -> None:
    """Seven frames in three clips that overlap, one of them with a frame twice; frame 6 is in none."""
    places = np.array([[0, 1, 2], [4, 5, 4], [2, 0, 3]])
    said = outputs(3, 3)
    assert said.action_attention is not None
    mean = PredictionMean()
    mean.add(said.take([0, 1]), places[:2])
    mean.add(said.take(slice(2, 3)), places[2:])
    found = mean.result(7)
    for frame in range(7):
        at = [(c, t) for c in range(3) for t in range(3) if places[c, t] == frame]
        assert found.attention[frame] == pytest.approx(sum(said.attention[c, t] for c, t in at) / 3)
        for action in range(2):
            expected = sum(said.action_attention[c, action, t] for c, t in at) / 3
            assert found.action_attention is not None
            assert found.action_attention[action, frame] == pytest.approx(expected)
    assert found.attention[6] == 0
    assert found.attention.sum() == pytest.approx(1)
    np.testing.assert_allclose(found.feature, said.feature.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.actions, said.actions.mean(axis=0), rtol=1e-6)
    assert all(field.dtype == np.float32 for field in found[:3])


def test_many_equal_clips_are_one() -> None:
    """In float32 a sum of 100,000 terms would drift."""
    said = ClipOutputs(*(np.repeat(field, 100_000, axis=0) for field in outputs(1, 1)[:3]))
    mean = PredictionMean()
    mean.add(said, np.zeros((100_000, 1), np.int64))
    np.testing.assert_array_equal(mean.result(1).feature, said.feature[0])


def test_without_actions() -> None:
    mean = PredictionMean()
    mean.add(
        outputs(2, 2)._replace(actions=np.empty((2, 0), np.float32), action_attention=None),
        np.arange(4).reshape(2, 2),
    )
    found = mean.result(4)
    assert found.actions.shape == (0,)
    assert found.action_attention is None


def test_an_average_joins_the_frames() -> None:
    each = []
    for n in (2, 3):
        mean = PredictionMean()
        mean.add(outputs(1, n), np.arange(n)[None])
        each.append(mean.result(n))
    joined = average(each)
    assert joined.frames == 5
    np.testing.assert_allclose(joined.attention, [*each[0].attention / 2, *each[1].attention / 2])
    np.testing.assert_allclose(joined.feature, (each[0].feature + each[1].feature) / 2, rtol=1e-6)
    assert joined.action_attention is not None
    assert joined.action_attention.shape == (2, 5)
    with pytest.raises(ValueError, match="at least one prediction to average, got none"):
        average([])


def test_branches_have_length_one_each_as_in_a_test() -> None:
    features = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    even = np.full((3, 2), 0.5, np.float32)
    mean = PredictionMean(branches=2)
    for row in range(3):
        mean.add(ClipOutputs(features, features[:, :0], even).take([row]), np.array([[2 * row, 2 * row + 1]]))
    expected = balanced(torch.from_numpy(features.mean(axis=0, dtype=np.float64)).float()[None], 2)[0]
    np.testing.assert_allclose(mean.result(6).feature, expected.numpy(), rtol=1e-6)
    clips = [Prediction(row, row[:0], even[0], None, 2) for row in features]
    np.testing.assert_allclose(average(clips, branches=2).feature, expected.numpy(), rtol=1e-6)
    assert np.abs(average(clips).feature - expected.numpy()).max() > 0.1
