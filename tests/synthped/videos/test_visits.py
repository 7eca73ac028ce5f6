"""Visits: people come from one side, leave by another, and are cut out as tracklets are."""

import numpy as np
import pytest

from reidar_plugin.synthped.actions import ACTIONS
from reidar_plugin.synthped.people.looks import dress
from reidar_plugin.synthped.script import Role
from reidar_plugin.synthped.seeded_random import Array, SeededRandom
from reidar_plugin.synthped.street.camera import make_cameras
from reidar_plugin.synthped.videos.ground import BACK
from reidar_plugin.synthped.videos.visits import Visit, boxes_around, write_visit

CAMERA, WIDE = make_cameras(0, 1)[0], 16 / 9


@pytest.fixture(scope="module")
def visits() -> list[Visit]:
    return [
        write_visit(
            dress(SeededRandom("look", i)), ACTIONS[i % 8], CAMERA, 10, WIDE, SeededRandom("visit", i)
        )
        for i in range(80)
    ]


def _outside(role: Role, at: int) -> bool:
    margin = 1.1 * role.tall[at]
    x, top = role.x[at], role.y[at] - role.tall[at]
    return bool(min(x, WIDE - x) < -0.8 * margin + 0.03 or top > 1.0)


def test_everybody_comes_from_outside_and_leaves(visits: list[Visit]) -> None:
    for visit in visits:
        role = visit.cast[0]
        assert len(visit) == len(role.x) == len(visit.box) == len(role.motion.phase)
        assert _outside(role, 0)
        assert _outside(role, -1)
        assert (role.y > BACK + 0.02).all()  # nobody walks into the wall
        steps = np.hypot(np.diff(role.x), np.diff(role.y)) / role.tall[1:]
        assert steps.max() < 0.25  # nobody leaps
    lengths = [len(visit) for visit in visits]
    assert 30 < np.median(lengths) < 150


def test_people_are_seen_from_all_sides_and_do_all_things(visits: list[Visit]) -> None:
    headings = np.concatenate([visit.cast[0].heading for visit in visits]) % 1.0
    assert (np.histogram(headings, bins=4, range=(0.0, 1.0))[0] > 0).all()
    assert {action for visit in visits for action in visit.actions} == set(ACTIONS)
    assert any(len(set(visit.actions)) == 2 for visit in visits)
    pairs = [visit for visit in visits if len(visit.cast) == 2]
    assert pairs
    for visit in pairs:
        person, other = visit.cast
        assert (np.hypot(person.x - other.x, person.y - other.y) < 0.5 * person.tall).all()


def test_a_visit_is_its_seeds(visits: list[Visit]) -> None:
    again = write_visit(
        dress(SeededRandom("look", 3)), ACTIONS[3], CAMERA, 10, WIDE, SeededRandom("visit", 3)
    )
    np.testing.assert_array_equal(again.box, visits[3].box)
    assert again.actions == visits[3].actions


def _fill(box: Array, tall: Array) -> Array:
    return tall / box[:, 3]


def test_boxes_are_those_of_tracklets(visits: list[Visit]) -> None:
    for visit in visits[:24]:
        role, action = visit.cast[0], visit.actions[0]
        np.testing.assert_array_equal(visit.box, boxes_around(role, action))
        np.testing.assert_allclose(visit.box[:, 2] * 2, visit.box[:, 3])
        expected = 0.85 * {"riding": 0.84, "trolley": 0.9}.get(action, 1.0)
        np.testing.assert_allclose(_fill(visit.box, role.tall), expected)
        below = (visit.box[:, 1] + visit.box[:, 3] - role.y) / visit.box[:, 3]
        np.testing.assert_allclose(below, 0.07)
