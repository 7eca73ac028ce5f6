"""Whatever the lengths: a clip has T frames of its tracklet in order, and test clips hold what they promise."""

import numpy as np

from reidar_plugin.data.clips import TEST_CLIPS, TRAIN_CLIPS, draw_clip, tracklet_clips
from tests.properties import given, holds, some

FRAMES, LENGTH = some.integers(1, 300), some.integers(1, 40)


@holds
@given(n=FRAMES, length=LENGTH, seed=some.integers(0, 2**32), scheme=some.sampled_from(sorted(TRAIN_CLIPS)))
def test_a_training_clip(n: int, length: int, seed: int, scheme: str) -> None:
    clip = draw_clip(n, length, np.random.default_rng(seed), scheme).tolist()
    assert len(clip) == length
    assert clip == sorted(clip)
    assert set(clip) <= set(range(n))
    assert clip == draw_clip(n, length, np.random.default_rng(seed), scheme).tolist()
    if n >= length and scheme in ("consecutive", "random"):
        assert len(set(clip)) == length
    if n >= length and scheme == "parts":
        assert all(i * n // length <= frame < (i + 1) * n // length for i, frame in enumerate(clip))


@holds
@given(n=FRAMES, length=LENGTH, scheme=some.sampled_from(sorted(TEST_CLIPS)), cap=some.integers(0, 9))
def test_test_clips(n: int, length: int, scheme: str, cap: int) -> None:
    clips = tracklet_clips(n, length, scheme, cap)
    whole = tracklet_clips(n, length, scheme)
    assert clips.tolist() == whole.tolist()[: cap or None]
    assert clips.shape[1] == length
    assert set(clips.ravel().tolist()) <= set(range(n))
    if scheme != "first_of_parts":
        assert set(whole.ravel().tolist()) == set(range(n))
        assert len(whole) == -(-n // length) or scheme == "interleaved"
