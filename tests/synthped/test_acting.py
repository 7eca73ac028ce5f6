"""What people do over time."""

from dataclasses import replace

import numpy as np
import pytest

from reidar_plugin.synthped.acting import _taken_up, act, aside, strides, timeline
from reidar_plugin.synthped.people.looks import dress
from reidar_plugin.synthped.script import Recording
from reidar_plugin.synthped.seeded_random import SeededRandom
from reidar_plugin.synthped.street.camera import make_cameras

CAMERA = make_cameras(0, 1)[0]
LOOK = dress(SeededRandom("look"))


def recording(length: int = 20, key: int = 0) -> Recording:
    return Recording(length, CAMERA, SeededRandom("acting", key), lost=0.0)


def test_people_mostly_do_what_they_are_known_for() -> None:
    lines = [timeline("walking", recording(key=key)) for key in range(400)]
    whole = np.mean([line[0] != "walking" and len(set(line)) == 1 for line in lines])
    mixed = np.mean([len(set(line)) == 2 for line in lines])
    assert whole == pytest.approx(0.06 + 0.02, abs=0.04)  # some passages cover all of so short a recording
    assert 0.06 < mixed < 0.22


def test_who_stands_gets_nowhere_and_riders_go_twice_as_far() -> None:
    def way(actions: list[str], energy: float) -> float:
        take = recording()
        return strides(act(actions, np.full(20, energy), take), actions).sum() / take.pace / 19

    walking, standing = way(["walking"] * 20, 1.0), way(["walking"] * 20, 0.06)
    assert walking == pytest.approx(0.8)
    assert standing == pytest.approx(0.8 * 0.15 * 0.06 * 1.2)
    assert way(["riding"] * 20, 1.0) == pytest.approx(2 * walking)


def test_the_box_leans_to_what_the_action_brings() -> None:
    to_the_right = np.array([0.25])
    assert aside(LOOK, "walking", to_the_right)[0] == 0.0
    assert aside(LOOK, "riding", to_the_right)[0] == pytest.approx(0.045, abs=1e-3)
    pulled = aside(replace(LOOK, vehicle="suitcase"), "trolley", to_the_right)[0]
    pushed = aside(replace(LOOK, vehicle="pram"), "trolley", to_the_right)[0]
    assert pulled < 0 < pushed
    hand = [
        aside(replace(LOOK, right_handed=right), "holding_hands", np.zeros(1))[0] for right in (True, False)
    ]
    assert hand[0] == -hand[1] < 0  # towards the camera, the right hand is at the left


def test_hands_move_to_a_new_action_within_a_few_frames() -> None:
    actions = ["walking"] * 10 + ["phone_to_ear"] * 10
    taken = _taken_up(actions, "phone_to_ear")
    assert taken[:8].tolist() == [0.0] * 8
    assert taken[8:12].tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert taken[12:].tolist() == [1.0] * 8
    assert set(_taken_up(["walking", "riding"], "riding").tolist()) == {
        0.0,
        1.0,
    }  # nobody mounts within a frame or two
