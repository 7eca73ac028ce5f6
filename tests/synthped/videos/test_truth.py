"""The truth of a camera: identities over cameras, visibility against a picture of rectangles, actions frame by frame."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.inference.mot_files import read_tracks, write_tracks
from reidar_plugin.synthped.script import Obstacle
from reidar_plugin.synthped.videos.street import Street
from reidar_plugin.synthped.videos.truth import action_rows, tracks_of, truth_of


def test_ids_are_people_and_tracks_are_visits(street: Street, tmp_path: Path) -> None:
    for camera in (1, 2):
        truth, tracks = truth_of(street, camera), tracks_of(street, camera)
        people = truth.people()
        assert len(people) == len(tracks) > 200
        assert set(people.ids.tolist()) <= set(range(1, street.size.people + 1))
        np.testing.assert_array_equal(np.sort(people.box, axis=0), np.sort(tracks.box, axis=0))
        person_of = {visit.track: visit.person for visit in street.visits if visit.camera == camera}
        named = replace(
            tracks, track=np.array([person_of[track] for track in tracks.track.tolist()])
        ).sorted()
        np.testing.assert_array_equal(named.track, people.track)
        np.testing.assert_array_equal(named.box, people.box)
        write_tracks(tmp_path / "gt.txt", truth)
        np.testing.assert_array_equal(read_tracks(tmp_path / "gt.txt").track, truth.track)
    both = [set(truth_of(street, camera).people().ids.tolist()) for camera in (1, 2)]
    assert len(both[0] & both[1]) >= 4


def test_visibility_against_painted_rectangles(street: Street) -> None:
    """Each body as a mask of its own, all nearer ones taken away from it."""
    scale, camera = 200, 1
    thing = replace(street.obstacles[0], kind="plant", wide=0.1, high=0.3)
    street = replace(street, obstacles=[thing, *street.obstacles[1:]])
    truth = truth_of(street, camera)
    wide = int(street.size.size[1] / street.size.size[0] * scale)

    def mask(left: float, top: float, right: float, low: float) -> np.ndarray:
        y, x = np.mgrid[-scale : 3 * scale, -2 * scale : wide + 2 * scale]
        return (x >= left * scale) & (x < right * scale) & (y >= top * scale) & (y < low * scale)

    picture = mask(0.0, 0.0, wide / scale, 1.0)
    x = float(thing.x[0])
    bush = mask(x - 0.1, 1.02 - 0.3, x + 0.1, 1.02)
    partly = []
    for frame in (20, 50, 90, 120):
        here = [
            (role.y[at], visit.person if number == 0 else 10 + visit.track,
             mask(role.x[at] - 0.15 * role.tall[at], role.y[at] - role.tall[at],
                  role.x[at] + 0.15 * role.tall[at], role.y[at]))
            for visit in street.visits if visit.camera == camera and 0 <= (at := frame - visit.start) < len(visit)
            for number, role in enumerate(visit.cast)
        ]  # fmt: skip
        here.sort(key=lambda each: -each[0])
        hidden = bush.copy()
        for _, who, body in here:
            seen = (body & picture & ~hidden).sum() / body.sum()
            hidden |= body
            row = (truth.frame == frame) & (truth.track == who)
            if row.any():
                assert truth.visibility is not None
                assert truth.visibility[row][0] == pytest.approx(seen, abs=0.06)
                partly.append(0.05 < seen < 0.95)
    assert sum(partly) >= 2  # somebody is half hidden
    assert not all(partly)


def test_a_pole_hides_what_is_behind_it(street: Street) -> None:
    low, high = (
        truth_of(
            replace(street, obstacles=[replace(street.obstacles[0], kind="pole", wide=w)] * 2), 1
        ).visibility
        for w in (0.3, 0.001)
    )
    assert low is not None
    assert high is not None
    assert low.mean() < high.mean() - 0.1
    assert isinstance(street.obstacles[0], Obstacle)


def test_boxes_that_are_hardly_inside_are_not_told(street: Street) -> None:
    height, width = street.size.size
    for camera in (1, 2):
        box = truth_of(street, camera).box
        inside = np.clip(box[:, :2] + box[:, 2:], 0, (width, height)) - np.clip(
            box[:, :2], 0, (width, height)
        )
        share = inside.prod(axis=1) / box[:, 2:].prod(axis=1)
        assert share.min() >= 0.2
        assert share.min() < 0.4
        assert (share < 1).any()


def test_actions_of_every_box(street: Street) -> None:
    told = {}
    for camera, person, track, first, last, action in action_rows(street):
        for frame in range(first - 1, last):
            told[camera, track, frame] = person, action
    boxes = 0
    for visit in street.visits:
        tracks = tracks_of(street, visit.camera)
        for frame in tracks.frame[tracks.track == visit.track].tolist():
            action = visit.actions[frame - visit.start]
            assert told[f"camera-{visit.camera}", visit.track, frame] == (visit.person, action)
            boxes += 1
    assert boxes == len(told) > 500
