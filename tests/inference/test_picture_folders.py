"""Folders of pictures as tracklets."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from reidar_plugin.errors import InputError, MissingFileError
from reidar_plugin.inference import picture_folders
from reidar_plugin.inference.picture_folders import find_tracklets, recognise_pictures
from tests.inference.recognised import GREEN, RED, asked, mean_colour


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
    gate, yard = recognise_pictures(tracklets, asked(), tmp_path)
    a, b = gate.findings.summaries
    np.testing.assert_allclose(b.feature, mean_colour(RED), atol=0.01)
    assert (a.track, b.track, b.first_frame, b.last_frame, b.frames) == ("a", "b", 0, 5, 6)
    assert a.end < b.start  # so that they may be one person
    assert yard.findings.summaries[0].spans == ((), ((0.0, 3.0),))


def test_hidden_files_and_others_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "gäte 1" / "行人", RED, 2)
    write(tmp_path / ".trash" / "b", RED, 2)
    (tmp_path / "gäte 1" / "行人" / "._000.png").write_text("of another system")
    (tmp_path / "gäte 1" / "行人" / "notes.txt").write_text("mine")
    (tmp_path / "yard").mkdir()
    (one,) = find_tracklets(tmp_path)
    assert (one.camera, one.name, len(one.paths)) == ("gäte 1", "行人", 2)


def test_taken_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed in the second camera, the first is not read again; a changed picture or model is."""
    pictures, found = tmp_path / "pictures", tmp_path / "found"
    found.mkdir()
    write(pictures / "gate" / "a", RED, 2)
    write(pictures / "yard" / "a", GREEN, 1)
    whole = recognise_pictures(find_tracklets(pictures), asked(), tmp_path)
    read: list[str] = []
    real = picture_folders.read_picture

    def killed(path: str) -> NDArray[np.uint8]:
        read.append(Path(path).parts[-3])
        if read[-1] == "yard" and read.count("yard") == 1:
            raise KeyboardInterrupt
        return real(path)

    monkeypatch.setattr(picture_folders, "read_picture", killed)
    with pytest.raises(KeyboardInterrupt):
        recognise_pictures(find_tracklets(pictures), asked(), found)
    again = recognise_pictures(find_tracklets(pictures), asked(), found)
    assert read == ["gate", "gate", "yard", "yard"]
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_equal(
            [each._asdict() for each in one.findings.summaries],
            [each._asdict() for each in other.findings.summaries],
        )
    os.utime(pictures / "gate" / "a" / "000.png", (1, 1))
    recognise_pictures(find_tracklets(pictures), asked(), found)
    assert read[4:] == ["gate", "gate"]
    recognise_pictures(find_tracklets(pictures), asked()._replace(fingerprint="another"), found)
    assert len(read) == 9


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
