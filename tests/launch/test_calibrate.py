"""From a data set to a calibration, with a model that sees colours."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from reidar_plugin.inference.calibration import CalibrationError
from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.launch.calibrate import calibrate
from reidar_plugin.launch.dataset_tracklets import dataset_tracklets, labelled_tracklets
from tests import fakes
from tests.inference.recognised import colour_predictor


def tracklets(folder: Path) -> list[tuple[list[str], int, int]]:
    """Four people of a colour each, in two cameras; the second is a little darker."""
    made = []
    for person, colour in enumerate([(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0)]):
        for camera in (0, 1):
            path = folder / f"{person}-{camera}.png"
            cv2.imwrite(
                str(path),
                np.full((16, 8, 3), colour, np.uint8) - np.uint8(20) * camera * (np.array(colour) > 0),
            )
            made.append(([str(path)] * 3, person, camera))
    return made


def test_people_of_a_colour_each(tmp_path: Path) -> None:
    found = calibrate(colour_predictor(), "colours", tracklets(tmp_path))
    assert (found.people, found.tracklets, found.model, found.metric) == (4, 8, "colours", "euclidean")
    assert (found.precision, found.recall) == (1.0, 1.0)
    near = (20 / 255) ** 2
    assert near < found.threshold < (200 / 255) ** 2


def test_nobody_to_calibrate_on(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="expected tracklets of people who are searched for, got none"):
        calibrate(colour_predictor(), "colours", [])
    with pytest.raises(CalibrationError, match="expected pairs of one person and of two, got 1 and 0"):
        calibrate(colour_predictor(), "colours", tracklets(tmp_path)[:2])
    with pytest.raises(CalibrationError, match="above 0, up to 1, got 95"):
        calibrate(colour_predictor(), "colours", tracklets(tmp_path), 95)


def test_all_frames_count_whatever_the_test_took(tmp_path: Path) -> None:
    """A model whose test takes one clip: the calibration is that of a model which takes all, and says so."""
    some = tracklets(tmp_path)
    others = [paths for paths, *_ in (*some[1:], some[0])]
    long = [([*row[0], *other], *row[1:]) for row, other in zip(some, others, strict=True)]
    whole = colour_predictor()
    one = Predictor(whole._judge, replace(whole.card, test_max_clips=1))
    assert calibrate(one, "colours", long) == calibrate(whole, "colours", long)
    assert calibrate(one, "colours", long).cut == "consecutive clips of 4 frames"


def test_only_people_who_are_asked_for_calibrate(tmp_path: Path) -> None:
    fakes.write_mars(tmp_path, train_people=2, test_people=3, frames=[2, 2])
    labelled = labelled_tracklets("mars", str(tmp_path))
    everybody = dataset_tracklets("mars", str(tmp_path))
    assert 0 not in {pid for _, pid, _ in labelled}
    assert 0 < len(labelled) <= len(everybody)
