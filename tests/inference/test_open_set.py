"""Somebody whom the gallery knows, or nobody."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.inference.calibration import Calibration, CalibrationError, fit_calibration
from reidar_plugin.inference.gallery_filter import Where
from reidar_plugin.inference.open_set import USUAL_RATE, Limit, who_is
from tests.inference.gallery_street import MODEL, write_gallery

pytest.importorskip("lancedb", reason="the extra 'gallery' is not installed")


@pytest.fixture
def calibration() -> Calibration:
    """Strangers at 1 ... 9, so that 30 % of false alarms allow those below 3."""
    features = np.array([[0.0] * 8, [0.1] * 8, [3.0] * 8, [3.2] * 8])
    made = fit_calibration(features, np.array([0, 0, 1, 1]), model=MODEL.fingerprint)
    return replace(made, strangers=tuple(float(n) for n in range(1, 10)))


def test_up_to_the_limit(tmp_path: Path, calibration: Calibration) -> None:
    from reidar_plugin.inference.gallery import open_gallery

    rows, features = write_gallery(tmp_path / "g", 10)
    limit = Limit.of(calibration, 0.3)
    assert limit.distance == pytest.approx(3)
    step = np.zeros(8, np.float32)
    step[0] = 1.5
    asked = [features[4], features[4] + step, features[4] + 100]
    with open_gallery(tmp_path / "g") as gallery:
        exact, near, far = who_is(gallery, asked, limit)
        (other,) = who_is(gallery, asked[:1], limit, itself=rows[4].id)
        (none,) = who_is(gallery, asked[:1], limit, Where(without_run="morning"))
    distances = ((asked[1] - features) ** 2).sum(axis=1)
    assert (exact.who, exact.known, exact.false_alarms) == (rows[4].identity, True, 0.1)
    assert near.known == (distances.min() <= 3)
    assert near.false_alarms == pytest.approx((1 + sum(n <= distances.min() for n in range(1, 10))) / 10)
    assert (far.who, far.known, far.false_alarms) == ("", False, 1.0)
    assert other.nearest is not None
    assert other.nearest.row.id != rows[4].id
    assert (none.nearest, none.known, none.who) == (None, False, "")


def test_words_and_what_does_not_fit(calibration: Calibration) -> None:
    limit = Limit.of(calibration, 0.3)
    assert limit.words(18) == "known up to 3 (euclidean), 0.3 of strangers too"
    assert "holds 19 tracklets, the calibration 9: nearer strangers" in limit.words(19)
    assert (
        Limit.of(calibration).rate == calibration.lowest_rate == 0.1
    )  # 1 % cannot be told from nine strangers
    many = replace(calibration, strangers=tuple(float(n) for n in range(1, 300)))
    assert Limit.of(many).rate == USUAL_RATE == 0.01
    with pytest.raises(CalibrationError, match="for model model-a, got features of b"):
        limit.check(MODEL._replace(fingerprint="b"))
    with pytest.raises(CalibrationError, match="of euclidean distances, the gallery's are cosine"):
        limit.check(MODEL._replace(metric="cosine"))
