"""Things that belong to actions."""

from dataclasses import replace

import numpy as np
import pytest

from reidar_plugin.synthped.actions import ACTIONS
from reidar_plugin.synthped.people.looks import dress
from reidar_plugin.synthped.people.props import REACH, draw_props, hand_goals
from reidar_plugin.synthped.people.skeleton import LEFT, RIGHT
from reidar_plugin.synthped.seeded_random import SeededRandom
from tests.synthped.people.drawn import PLAIN, body, draw, figure, painted


def test_a_phone_shows_its_screen_to_who_holds_it() -> None:
    look = dress(SeededRandom("screen"))
    front, back = draw(look, "phone_to_face", np.array([0.10, 0.40]))
    screen = np.array(PLAIN.ramp((206, 222, 236))[0])
    assert (back == screen).all(axis=2).sum() > 40 > (front == screen).all(axis=2).sum()


@pytest.mark.parametrize("action", ACTIONS)
def test_left_handed_people_do_it_the_other_way_round(action: str) -> None:
    look = dress(SeededRandom("hands"))
    right, left = (hand_goals(action, replace(look, right_handed=value)) for value in (True, False))
    assert len(right) == {"walking": 0, "riding": 2, "item_both_hands": 2}.get(action, len(right))
    assert right == {1 - side: (-x, y, z) for side, (x, y, z) in left.items()}
    for side, (x, _, _) in right.items():
        assert (x > 0) == (side == LEFT)


def test_hands_that_hold_each_other_meet_half_way() -> None:
    look = replace(dress(SeededRandom("hands")), right_handed=True)
    assert hand_goals("holding_hands", look)[RIGHT][0] == -REACH


def test_a_phone_is_at_the_ear_or_before_the_face() -> None:
    look = dress(SeededRandom("phones"))
    (ear,), (face,) = (list(hand_goals(f"phone_to_{where}", look).values()) for where in ("ear", "face"))
    assert ear[1] > face[1] > 0.7
    assert face[2] > ear[2] + 0.1
    assert abs(ear[0]) > abs(face[0])


def test_things_are_there_in_their_frames_only() -> None:
    person = figure(dress(SeededRandom("things")))
    shown = np.arange(8) % 2 == 0
    draw_props(person, np.zeros(8), {"item_both_hands": shown, "walking": ~shown})
    assert [bool(body(picture).any()) for picture in painted(person.sketch)] == shown.tolist()


def test_items_differ() -> None:
    look = dress(SeededRandom("items"))
    shapes = []
    for item in ("bag", "cup", "book", "umbrella"):
        person = figure(replace(look, item=item), np.array([0.0]))
        draw_props(person, np.zeros(1), {"item_one_hand": np.ones(1, bool)})
        shapes.append(body(painted(person.sketch)[0]))
    for one in range(4):
        assert shapes[one].sum() > 30
        for other in range(one):
            assert (shapes[one] ^ shapes[other]).sum() > 30
