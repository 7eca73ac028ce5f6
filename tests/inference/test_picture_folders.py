"""Folders of pictures as tracklets."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reidar_plugin.errors import InputError, MissingFileError
from reidar_plugin.inference.picture_folders import find_tracklets, recognise_pictures
from tests.inference.recognised import GREEN, RED, colour_predictor, mean_colour


def write(folder: Path, colour: tuple[int, int, int], count: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (20, 40), colour).save(folder / f"{number:03d}.png")


def test_by_camera_and_name(tmp_path: Path) -> None:
    write(tmp_path / "gate" / "b", RED, 6)
    write(tmp_path / "gate" / "a", GREEN, 1)
    write(tmp_path / "yard" / "a", GREEN, 4)
    tracklets = find_tracklets(tmp_path)
    assert [(each.camera, each.name, len(each.paths)) for each in tracklets] == [
        ("gate", "a", 1),
        ("gate", "b", 6),
        ("yard", "a", 4),
    ]
    gate, yard = recognise_pictures(tracklets, colour_predictor())
    a, b = gate.findings.summaries
    np.testing.assert_allclose(b.feature, mean_colour(RED), atol=0.01)
    assert (a.track, b.track, b.first_frame, b.last_frame, b.frames) == ("a", "b", 0, 5, 6)
    assert a.end < b.start  # so that they may be one person
    assert yard.findings.summaries[0].spans == ((), ((0.0, 3.0),))


def test_without_cameras(tmp_path: Path) -> None:
    write(tmp_path / "a", RED, 2)
    assert find_tracklets(tmp_path)[0].camera == "pictures"


def test_what_is_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="expected a folder of tracklets"):
        find_tracklets(tmp_path / "none")
    with pytest.raises(InputError, match="got no pictures"):
        find_tracklets(tmp_path)
    write(tmp_path / "a" / "b" / "c", RED, 1)
    with pytest.raises(InputError, match="got pictures in a/b/c"):
        find_tracklets(tmp_path)
