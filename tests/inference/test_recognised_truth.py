"""Answers against the truth of every camera."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.errors import InputError
from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.identify import identify
from reidar_plugin.inference.mot_files import read_tracks, write_tracks
from reidar_plugin.inference.recognise import recognise_video
from reidar_plugin.inference.recognised_truth import score_answers
from tests.inference.recognised import BLUE, GREEN, RED, asked, write_street

#: The true person of tracks 1 and 2 of each camera: red is person 7 in both.
PEOPLE = {"gate": (7, 8), "yard": (9, 7)}


def street(folder: Path) -> list[Camera]:
    cameras = [
        write_street(folder, "gate", [(RED, 0, 9), (BLUE, 0, 4)]),
        write_street(folder, "yard", [(GREEN, 2, 9), (RED, 0, 3)]),
    ]
    told = []
    for camera in cameras:
        assert camera.tracks is not None
        tracks = read_tracks(camera.tracks)
        truth = folder / f"{camera.name}-truth.txt"
        write_tracks(truth, replace(tracks, track=np.array(PEOPLE[camera.name])[tracks.track - 1]))
        told.append(replace(camera, truth=truth, start=20.0 * len(told)))
    return told


def scored(cameras: list[Camera], folder: Path, threshold: float | None) -> str:
    found = [recognise_video(camera, asked(), folder) for camera in cameras]
    return score_answers(found, identify(found, threshold, "euclidean"))


def test_all_right(tmp_path: Path) -> None:
    assert scored(street(tmp_path), tmp_path, 0.05) == (
        "3 people found, 3 in truth; pairs of tracklets: precision 100.0%, recall 100.0%; "
        "IDF1 100.0% (IDP 100.0%, IDR 100.0%)"
    )


def test_nobody_is_joined(tmp_path: Path) -> None:
    """27 boxes; the shorter track of person 7, of 4 boxes, is taken for somebody else: 23 are right."""
    said = scored(street(tmp_path), tmp_path, None)
    assert said.startswith(
        "4 people found, 3 in truth; pairs of tracklets: precision 100.0%, recall 0.0%; IDF1 "
    )
    assert f"IDF1 {23 / 27:.1%}" in said


def test_all_are_joined_that_may_be(tmp_path: Path) -> None:
    """Two are seen at once in each camera: two people, red with green and blue with red, or red with red."""
    said = scored(street(tmp_path), tmp_path, 100.0)
    assert said.startswith("2 people found, 3 in truth; pairs of tracklets: precision 50.0%, recall 100.0%;")


def test_without_a_truth_nothing_is_said(tmp_path: Path) -> None:
    cameras = street(tmp_path)
    cameras[1] = replace(cameras[1], truth=None)
    assert scored(cameras, tmp_path, 0.05) == ""


def test_the_truth_of_another_video_is_noticed(tmp_path: Path) -> None:
    cameras = street(tmp_path)
    for camera in cameras:
        assert camera.truth is not None
        truth = read_tracks(camera.truth)
        write_tracks(camera.truth, replace(truth, frame=truth.frame + 900))
    assert (
        scored(cameras, tmp_path, 0.05)
        == "no tracklet overlaps anybody of the truth; is that of another video?"
    )


def test_detections_are_no_truth(tmp_path: Path) -> None:
    cameras = street(tmp_path)
    assert cameras[0].truth is not None
    truth = read_tracks(cameras[0].truth)
    write_tracks(cameras[0].truth, replace(truth, track=np.full_like(truth.track, -1)))
    with pytest.raises(InputError, match="expected the people of a truth, got detections"):
        scored(cameras, tmp_path, 0.05)
