"""People of SynthPed as drawn: in one piece, on the ground, doing what they do."""

import cv2
import numpy as np
import pytest

from reidar_plugin.synthped.actions import ACTIONS
from reidar_plugin.synthped.people.looks import dress
from reidar_plugin.synthped.people.person import _hands
from reidar_plugin.synthped.people.props import hand_goals
from reidar_plugin.synthped.seeded_random import SeededRandom
from tests.synthped.people.drawn import GROUND, TALL, body, draw


@pytest.mark.parametrize("action", ACTIONS)
def test_everything_hangs_together(action: str) -> None:
    for person in range(6):
        for picture in draw(dress(SeededRandom("pieces", person)), action, phase=person / 6):
            _, _, stats, _ = cv2.connectedComponentsWithStats(body(picture).astype(np.uint8), connectivity=8)
            sizes = sorted(stats[1:, cv2.CC_STAT_AREA].tolist())
            assert sizes[-1] > 2200  # somebody is there
            assert sum(sizes[:-1]) < 12, (person, action, sizes)  # and nothing flies beside


@pytest.mark.parametrize("action", ACTIONS)
def test_stands_on_the_ground(action: str) -> None:
    for picture in draw(dress(SeededRandom("ground")), action):
        rows = np.flatnonzero(body(picture).any(axis=1))
        assert GROUND - 10 <= rows[-1] <= GROUND + 16  # nearer feet are lower: the camera looks down a little
        assert TALL * 0.85 < GROUND - rows[0] < TALL * 1.15


def test_actions_look_different_from_the_front() -> None:
    look = dress(SeededRandom("front"))
    pictures = {action: draw(look, action, np.array([0.06]))[0] for action in ACTIONS}
    for action in set(ACTIONS) - {"walking"}:
        changed = (pictures[action] != pictures["walking"]).any(axis=2).sum()
        assert changed > 75, action


def test_views_differ_and_mirror() -> None:
    pictures = draw(dress(SeededRandom("views")), "walking")
    shapes = [body(picture) for picture in pictures]
    for a in range(8):
        for b in range(a):
            assert (pictures[a] != pictures[b]).any(axis=2).sum() > 250
    assert (shapes[2] ^ shapes[6][:, ::-1]).sum() < 0.35 * shapes[2].sum()  # left and right profile


def test_the_nearer_arm_covers_the_trunk() -> None:
    look = dress(SeededRandom("arms"))
    front, back = draw(look, "phone_to_face", np.array([0.0, 0.5]))
    chest = (slice(GROUND - 145, GROUND - 108), slice(112, 145))
    skin_or_phone = (front[chest] != back[chest]).any(axis=2).mean()
    assert skin_or_phone > 0.15


def test_a_person_is_drawn_the_same_every_time() -> None:
    one, again = (draw(dress(SeededRandom("again")), "trolley") for _ in range(2))
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_hand_between_two_actions_is_between_their_goals() -> None:
    look = dress(SeededRandom("half"))
    taken = {"phone_to_ear": np.array([1.0, 0.5, 0.0, 0.0]), "phone_to_face": np.array([0.0, 0.5, 1.0, 0.5])}
    (goal, held), (ear, face) = (
        next(iter(_hands(look, taken, 4).values())),
        (np.array(next(iter(hand_goals(action, look).values()))) for action in taken),
    )
    np.testing.assert_allclose(goal, [ear, (ear + face) / 2, face, face])
    np.testing.assert_allclose(held, [1.0, 1.0, 1.0, 0.5])


def test_who_does_nothing_has_free_hands() -> None:
    assert _hands(dress(SeededRandom("free")), {}, 4) == {}
