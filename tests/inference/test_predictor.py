"""The predictor against the engine's own test, and against what callers may hand it."""

import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from reidar_plugin.data.frames import read_frames
from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.errors import ConfigError, InputError
from reidar_plugin.inference.crops import TrackClip
from reidar_plugin.inference.prediction import ClipOutputs, Prediction, average
from reidar_plugin.inference.predictor import Predictor, TrackAverager
from tests.engine_rig import OSNET, config, run

Run = tuple[JointEngine, Path]
MAPS = {
    "model__name": OSNET,
    "data__height": 64,
    "data__width": 32,
    "reidar__model__pooling": "light",
    "reidar__model__action_source": "conv2",
    "reidar__test__thresholds": "train",
    "train__max_epoch": 1,
}


@pytest.fixture(scope="module")
def trained(mars: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose action network reads maps, and whose thresholds are chosen."""
    save_dir = tmp_path_factory.mktemp("maps")
    return run(config(mars, save_dir, **MAPS)), save_dir


@pytest.fixture(scope="module")
def predictor(trained: Run) -> Predictor:
    return Predictor.load(trained[1], max_frames=8)


def the_test(engine: JointEngine) -> tuple[list[list[str]], Any]:
    """Tracklets of the test, and what the engine said of them."""
    assert engine.outcome is not None
    side = engine.outcome.targets[0].gallery
    return [list(paths) for paths in side.table.paths], side.outputs


def pictures(n: int, seed: int = 0, size: tuple[int, int] = (40, 30)) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 256, (n, *size, 3)).astype(np.uint8))


def same(a: Prediction, b: Prediction) -> None:
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-5, atol=1e-5)


def test_says_what_the_test_said(trained: Run, predictor: Predictor) -> None:
    tracklets, outputs = the_test(trained[0])
    assert {len(paths) for paths in tracklets} >= {3, 5}  # clips are 2 long: some are filled up
    found = list(predictor(tracklets))
    assert len(found) == len(outputs.features)
    features, actions = (np.stack([row[i] for row in found]) for i in (0, 1))
    np.testing.assert_array_equal(features, outputs.features.numpy())
    np.testing.assert_array_equal(actions, outputs.likelihoods.numpy())
    assert features.std(axis=0).max() > 1e-3


@pytest.mark.parametrize(
    "options",
    [
        {"reidar__data__test_clips": "interleaved", "reidar__data__test_max_clips": 2},
        {"reidar__data__test_clips": "first_of_parts"},
        {"reidar__model__num_actions": 0, "reidar__loss__terms": ["triplet", "erasing"], "video__seq_len": 4},
    ],
    ids=["interleaved", "first_of_parts", "no actions"],
)
def test_says_what_other_tests_said(mars: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    engine = run(config(mars, tmp_path, train__max_epoch=1, **options))
    tracklets, outputs = the_test(engine)
    loaded = Predictor.load(tmp_path)
    for paths, found, feature in zip(tracklets, loaded(tracklets), outputs.features, strict=True):
        np.testing.assert_allclose(found.feature, feature, atol=1e-5)
        assert found.actions.shape == (len(loaded.actions),)
        assert found.attention.shape == (len(paths),)
        np.testing.assert_allclose(found.attention.sum(), 1, rtol=1e-5)


@pytest.mark.usefixtures("quick_weights")
def test_two_branches(mars: Path, tmp_path: Path) -> None:
    """Each has length 1 after the mean over clips, as in the test; also where a caller joins the clips."""
    options = {"model__name": "reidar_tclnet_resnet18", "reidar__model__pooling": "peak"}
    engine = run(config(mars, tmp_path, train__max_epoch=1, data__height=64, data__width=32, **options))
    tracklets, outputs = the_test(engine)
    loaded = Predictor.load(tmp_path)
    assert loaded.card.branches == 2
    for paths, found, feature in zip(tracklets, loaded(tracklets), outputs.features, strict=True):
        np.testing.assert_allclose(found.feature, feature, atol=1e-5)
        count = -(-len(paths) // 2)
        clips = np.zeros((2 * count, 64, 32, 3), np.uint8)
        clips[: len(paths)] = read_frames(paths, 64, 32)
        valid = [2] * (count - 1) + [len(paths) - 2 * (count - 1)]
        alone = loaded.predict_clips(clips.reshape(count, 2, 64, 32, 3), valid)
        np.testing.assert_allclose(average(alone, branches=2).feature, feature, atol=1e-5)
    (odd,) = loaded.predict_clips(clips[None, :1])  # a clip of one frame, which both branches read
    assert odd.attention == pytest.approx([1.0])


def test_carries_all_that_it_needs(trained: Run, predictor: Predictor) -> None:
    assert trained[0].outcome is not None
    assert trained[0].outcome.actions is not None
    assert (predictor.height, predictor.width, predictor.clip_length) == (64, 32, 2)
    assert (predictor.feature_size, predictor.distance, predictor.interpolation) == (
        128,
        "euclidean",
        "cubic",
    )
    assert predictor.actions == trained[0].evaluator.action_names()
    chosen = trained[0].outcome.actions.thresholds
    assert set(chosen) != {0.5}
    np.testing.assert_array_equal(predictor.thresholds, np.float32(chosen))


def test_weights_of_frames_are_those_of_the_means(predictor: Predictor) -> None:
    """Five frames: two whole clips, and a last one that holds the fifth twice."""
    frames = pictures(5)
    (found,) = predictor([frames])
    pairs = [frames[:2], frames[2:4], [frames[4]]]
    alone = list(predictor(pairs))
    assert found.frames == 5
    assert found.action_attention is not None
    np.testing.assert_allclose(found.attention, np.concatenate([a.attention for a in alone]) / 3, rtol=1e-5)
    np.testing.assert_allclose(found.action_attention.sum(axis=1), 1, rtol=1e-5)
    assert alone[2].attention == pytest.approx([1.0])
    np.testing.assert_allclose(found.feature, np.mean([a.feature for a in alone], axis=0), atol=1e-6)
    same(found, average(alone))


def test_batches_do_not_show(predictor: Predictor) -> None:
    tracklets = [pictures(n, n) for n in (1, 2, 7, 3)]
    for max_frames in (1, 2, 6, 1000):
        other = Predictor(predictor._judge, predictor.card, max_frames)
        for one, two in zip(predictor(tracklets), other(tracklets), strict=True):
            same(one, two)


def test_is_lazy_and_bounded(predictor: Predictor) -> None:
    """Of an endless stream only what fills a batch is read, and pictures of a long tracklet are let go."""
    asked = []

    def stream() -> Iterator[list[np.ndarray]]:
        for number in range(10**6):
            asked.append(number)
            yield pictures(2, number)

    next(predictor(stream()))
    assert len(asked) == 4  # max_frames 8


def test_a_long_tracklet_is_read_a_batch_at_a_time(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, alive = [], []

    def no_network(frames: torch.Tensor) -> ClipOutputs:
        clips, length = frames.shape[:2]
        sizes.append(clips * length)
        if len(sizes) % 100 == 0:
            alive.append(sum(reference() is not None for reference in LongTracklet.given))
        even = np.full((clips, length), 1 / length, np.float32)
        return ClipOutputs(np.ones((clips, 128), np.float32), np.ones((clips, 8), np.float32), even)

    monkeypatch.setattr(predictor, "_judge", no_network)
    (found,) = predictor([LongTracklet()])
    assert found.frames == len(LongTracklet.given) == 10_000
    assert (max(sizes), max(alive)) == (8, 0)


class LongTracklet(Sequence[np.ndarray]):
    """10,000 frames, made when they are asked for."""

    given: ClassVar[list["weakref.ref[np.ndarray]"]] = []

    def __len__(self) -> int:
        return 10_000

    def __getitem__(self, place: Any) -> Any:
        frame = np.full((8, 4, 3), place % 251, np.uint8)
        self.given.append(weakref.ref(frame))
        return frame


def test_threads_agree(predictor: Predictor) -> None:
    """The maps that the action network reads wait in the backbone: two threads at once would swap them."""
    tracklets = [pictures(2 + n, n) for n in range(8)]
    alone = [next(predictor([each])) for each in tracklets]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            for one, two in zip(
                alone, pool.map(lambda each: next(predictor([each])), tracklets), strict=True
            ):
                np.testing.assert_array_equal(one.actions, two.actions)
                np.testing.assert_array_equal(one.feature, two.feature)


def test_clips_that_are_not_full(predictor: Predictor) -> None:
    frames = np.stack(pictures(4, size=(64, 32))).reshape(2, 2, 64, 32, 3)
    full = predictor.predict_clips(frames)
    short = predictor.predict_clips(frames, np.array([[True, True], [True, False]]))
    same(full[0], short[0])
    same(short[1], next(predictor([[frames[1, 0]]])))
    assert short[1].frames == 1
    assert np.abs(short[1].feature - full[1].feature).max() > 1e-4
    for one, two in zip(short, predictor.predict_clips(frames, [2, 1]), strict=True):
        same(one, two)
    for wrong, message in (
        ([0, 1], r"1 to 2 valid frames in each clip, got \[0, 1\]"),
        ([1], r"\(2, 2\) or \(2,\), got \(1,\)"),
        (np.array([[False, True], [True, True]]), "a mask with gaps"),
    ):
        with pytest.raises(InputError, match=message):
            predictor.predict_clips(frames, wrong)
    with pytest.raises(InputError, match=r"\(B, T, 64, 32, 3\), got \(2, 2, 32, 64, 3\)"):
        predictor.predict_clips(frames.swapaxes(2, 3))
    with pytest.raises(InputError, match="got float32"):
        predictor.predict_clips(frames.astype(np.float32))


def track_clip(track: int, frames: list[np.ndarray], ends: bool) -> TrackClip:
    n = len(frames)
    pixels = np.stack([frames[i % n] for i in range(2)])
    return TrackClip(track, np.arange(n), np.arange(n) / 25, np.zeros((n, 4)), pixels, ends)


def test_tracks_that_come_in_turn(predictor: Predictor) -> None:
    """Two tracks side by side, one of an odd length; a third that comes later under the number of the first."""
    one, two, late = (pictures(n, n, size=(64, 32)) for n in (5, 4, 3))
    clips = [
        track_clip(7, one[:2], False),
        track_clip(9, two[:2], False),
        track_clip(7, one[2:4], False),
        track_clip(9, two[2:], True),
        track_clip(7, one[4:], True),
        track_clip(7, late[:2], False),
        track_clip(7, late[2:], True),
    ]
    found = list(TrackAverager(predictor)(clips))
    assert [track for track, _ in found] == [9, 7, 7]
    for (_, got), expected in zip(found, predictor([two, one, late]), strict=True):
        same(got, expected)
    with pytest.raises(InputError, match=r"track 3: expected clips of \(2, 64, 32, 3\)"):
        list(TrackAverager(predictor)([track_clip(3, pictures(2), True)]))


@pytest.mark.parametrize(
    ("tracklets", "message"),
    [
        ([pictures(2), []], "tracklet 1 has no frames"),
        ([[np.zeros((8, 4), np.uint8)]], r"frame 0 of tracklet 0: .* got uint8 \(8, 4\)"),
        ([[np.zeros((8, 4, 3), np.float32)]], r"got float32 \(8, 4, 3\)"),
        ([[np.zeros((8, 4, 4), np.uint8)]], r"got uint8 \(8, 4, 4\)"),
        ([[np.zeros((0, 4, 3), np.uint8)]], r"got uint8 \(0, 4, 3\)"),
        (np.zeros((5, 8, 4, 3), np.uint8), r"got uint8 \(4, 3\); a tracklet alone goes into a list"),
        ([[torch.zeros(3, 8, 4)]], "got Tensor"),
        ([iter(pictures(2))], "tracklet 0: expected a list of pictures .* got list_iterator"),
        (["frames"], "tracklet 0: expected a list of pictures .* got str"),
    ],
)
def test_what_is_no_tracklet(predictor: Predictor, tracklets: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(predictor(tracklets))


def test_pictures_and_paths_are_one(trained: Run, predictor: Predictor) -> None:
    paths = the_test(trained[0])[0][0]
    from_files, from_pictures = predictor([paths, read_frames(paths, 64, 32)])
    same(from_files, from_pictures)
    with pytest.raises(OSError, match=r"nowhere\.jpg: expected a picture"):
        list(predictor([["nowhere.jpg"]]))


def test_low_precision_and_devices(trained: Run, predictor: Predictor) -> None:
    low = Predictor.load(trained[1], precision="bfloat16")
    assert (low.precision, predictor.precision) == ("bfloat16", "float32")
    (full,), (half,) = predictor([pictures(4)]), low([pictures(4)])
    assert half.feature.dtype == np.float32
    assert not np.array_equal(full.feature, half.feature)
    np.testing.assert_allclose(half.feature, full.feature, rtol=0.1, atol=0.1)
    with pytest.raises(ConfigError, match="unknown precision 'float8'"):
        Predictor.load(trained[1], precision="float8")
    with pytest.raises(ConfigError, match="device 'nowhere' cannot be used here"):
        Predictor.load(trained[1], device="nowhere")
    with pytest.raises(ConfigError, match="max_frames of at least 1, got -1"):
        Predictor.load(trained[1], max_frames=-1)


def test_numbers_that_are_not_finite(predictor: Predictor) -> None:
    judge = predictor._judge
    predictor._judge = lambda frames: judge(frames)._replace(
        feature=np.full((len(frames), 128), np.nan, np.float32)
    )
    try:
        with pytest.raises(InputError, match="gives NaN or infinity"):
            list(predictor([pictures(2)]))
    finally:
        predictor._judge = judge
