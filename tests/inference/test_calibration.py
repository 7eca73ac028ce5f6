"""Calibration: the curve and the thresholds of their definitions, files read strictly, other models refused."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from reidar_plugin.inference.calibration import Calibration, CalibrationError, fit_calibration

PEOPLE = 20


def labelled(
    noise: float = 0.35, seed: int = 0, count: int = PEOPLE
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    people, cameras = np.repeat(np.arange(count), 6), np.tile(np.arange(6) % 3, count)
    centres = random.normal(size=(count, 8))
    features = centres[people] + noise * random.normal(size=(len(people), 8))
    return features.astype(np.float32), people, cameras


@pytest.fixture(scope="module")
def fitted() -> Calibration:
    return fit_calibration(*labelled(), model="model-a")


def pairs_of(cameras: NDArray[np.int64] | None = None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    features, people, _ = labelled()
    rows = [
        (a, b)
        for a, b in itertools.combinations(range(len(people)), 2)
        if cameras is None or cameras[a] != cameras[b]
    ]
    distances = [((features[a] - features[b]).astype(np.float64) ** 2).sum() for a, b in rows]
    return np.array(distances), np.array([people[a] == people[b] for a, b in rows])


def test_the_curve_is_the_likeliest(fitted: Calibration) -> None:
    distances, same = pairs_of(labelled()[2])
    target = np.where(same, (same.sum() + 1) / (same.sum() + 2), 1 / ((~same).sum() + 2))

    def unlikely(weights: NDArray[np.float64]) -> float:
        logit = weights[1] - weights[0] * distances
        return float(np.mean(np.logaddexp(0, -logit) * target + np.logaddexp(0, logit) * (1 - target)))

    best = minimize(unlikely, [0.1, 0.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-13})
    assert (fitted.slope, fitted.offset) == pytest.approx(tuple(best.x), rel=1e-3)
    probability = fitted.probability(distances)
    assert probability.mean() == pytest.approx(target.mean(), rel=1e-4)  # as likelihood demands of an offset
    order = np.argsort(distances)
    assert (np.diff(probability[order]) <= 0).all()
    assert fitted.probability(np.zeros((2, 3))).shape == (2, 3)


@pytest.mark.parametrize("demanded", [None, 0.9, 0.99])
def test_no_other_threshold_is_better(demanded: float | None) -> None:
    distances, same = pairs_of()
    features, people, _ = labelled()
    found = fit_calibration(features, people, model="a", precision=demanded)

    def rates(threshold: float) -> tuple[float, float]:
        put = distances <= threshold
        return same[put].mean(), same[put].sum() / same.sum()

    def f1(threshold: float) -> float:
        precision, recall = rates(threshold)
        return 2 * precision * recall / (precision + recall)

    assert (found.precision, found.recall) == pytest.approx(rates(found.threshold))
    if demanded is None:
        assert f1(found.threshold) == pytest.approx(max(f1(limit) for limit in distances))
    else:
        assert found.precision >= demanded
        good = [rates(limit)[1] for limit in distances if rates(limit)[0] >= demanded]
        assert found.recall == pytest.approx(max(good))
    assert (distances != found.threshold).all()  # between two distances
    assert 0.0 < found.recall < 1.0


def test_strangers_and_known_people_by_definition(fitted: Calibration) -> None:
    features, people, cameras = labelled()
    nearest_other, nearest_own = [], []
    for query in range(len(people)):
        gallery = [row for row in range(len(people)) if cameras[row] != cameras[query]]
        far = {row: ((features[row] - features[query]).astype(np.float64) ** 2).sum() for row in gallery}
        nearest_other.append(min(far[row] for row in gallery if people[row] != people[query]))
        nearest_own.append(min(far[row] for row in gallery if people[row] == people[query]))
    np.testing.assert_allclose(fitted.strangers, sorted(nearest_other), rtol=1e-3, atol=1e-4)
    for rate in (0.05, 0.2):
        limit = fitted.known_up_to(rate)
        assert 0 < np.mean(np.array(nearest_other) <= limit) <= rate
        assert fitted.false_alarms(np.array([limit]))[0] <= rate
        assert fitted.false_alarms(np.array([limit * 1.0001 + 1e-4]))[0] > rate
        right = [own <= limit and own < other for own, other in zip(nearest_own, nearest_other, strict=True)]
        assert fitted.detection_rate(rate) == pytest.approx(np.mean(right))
        assert 0.1 < fitted.detection_rate(rate) <= 1.0
    assert fitted.false_alarms(np.array([-1.0, np.inf])).tolist() == [1 / 121, 1.0]
    nearest = fitted.strangers[0]
    assert fitted.false_alarms(np.array(nearest)) == (1 + fitted.strangers.count(nearest)) / 121
    with pytest.raises(CalibrationError, match=r"0.001 false alarms: expected one from 0.0083"):
        fitted.known_up_to(0.001)


def test_new_strangers_are_as_often_taken_for_known_as_promised() -> None:
    """People of the fit, and other people: 5 % is about 5 % there too."""
    fit = fit_calibration(*labelled(seed=1, count=150), model="a")
    features, people, cameras = labelled(seed=2, count=150)
    far = ((features[:, None] - features[None]) ** 2).sum(axis=2)
    far[(people[:, None] == people[None]) | (cameras[:, None] == cameras[None])] = np.inf
    assert 0.02 <= np.mean(fit.false_alarms(far.min(axis=1)) <= 0.05) <= 0.08


def test_a_file_gives_back_what_was_saved(fitted: Calibration, tmp_path: Path) -> None:
    fitted.save(tmp_path / "a.json")
    assert Calibration.load(tmp_path / "a.json") == fitted
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 1}, "expected a calibration of version 2"),
        ({"more": 1}, r"unknown entries \['more'\]"),
        ({"slope": -1.0}, "slope cannot be -1.0"),
        ({"threshold": None}, "threshold cannot be None"),
        ({"threshold": float("nan")}, "threshold cannot be nan"),
        ({"metric": "manhattan"}, "metric cannot be 'manhattan'"),
        ({"strangers": [2.0, 1.0]}, "strangers cannot be"),
        ({"strangers": "far"}, "strangers cannot be 'far'"),
        ({"width": True}, "width cannot be True"),
    ],
)
def test_a_damaged_file_is_refused(
    fitted: Calibration, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    path = tmp_path / "a.json"
    fitted.save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(CalibrationError, match=said):
        Calibration.load(path)


def test_no_file_and_no_json(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"nothing\.json cannot be read: No such file"):
        Calibration.load(tmp_path / "nothing.json")
    (tmp_path / "text.json").write_text("threshold: 3")
    with pytest.raises(CalibrationError, match="expected a calibration in JSON"):
        Calibration.load(tmp_path / "text.json")


def test_another_model_is_refused(fitted: Calibration) -> None:
    fitted.check("model-a", 8)
    with pytest.raises(CalibrationError, match="8 wide, got 16"):
        fitted.check("model-a", 16)
    with pytest.raises(CalibrationError, match="model model-a, got features of model-b"):
        fitted.check("model-b", 8)
    cut = replace(fitted, cut="consecutive clips of 4 frames")
    cut.check("model-a", 8, "consecutive clips of 4 frames")
    with pytest.raises(CalibrationError, match=r"for consecutive clips of 4 frames, got all; calibrate anew"):
        cut.check("model-a", 8, "all")
    with pytest.raises(CalibrationError, match="for tracklets of which it does not say how they were cut"):
        fitted.check("model-a", 8, "all")
    assert replace(fitted, model="model-b").model == "model-b"


def test_what_cannot_be_fitted() -> None:
    features, people, cameras = labelled()
    with pytest.raises(CalibrationError, match="pairs of one person and of two, got 0 and"):
        fit_calibration(features[::6], people[::6], model="a")
    with pytest.raises(CalibrationError, match="all distances are equal"):
        fit_calibration(np.ones((4, 2)), np.array([0, 0, 1, 1]), model="a")
    with pytest.raises(CalibrationError, match="tell nobody apart"):  # own tracklets are far, strangers near
        fit_calibration(np.array([[0.0], [9.0], [0.1], [9.1]]), np.array([0, 0, 1, 1]), model="a")
    nearest_is_another = np.array([[0.0], [1.0], [1.1], [9.0], [9.9]])
    with pytest.raises(CalibrationError, match="no threshold has a precision of 1 of pairs"):
        fit_calibration(nearest_is_another, np.array([0, 0, 1, 2, 2]), model="a", precision=1.0)
    with pytest.raises(CalibrationError, match="their numbers differ"):
        fit_calibration(features, people[:-1], cameras, model="a")
