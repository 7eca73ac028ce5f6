"""Things that belong to actions."""

import numpy as np

from reidar_plugin.synthped.people.looks import dress
from reidar_plugin.synthped.seeded_random import SeededRandom
from tests.synthped.people.drawn import PLAIN, draw


def test_a_phone_shows_its_screen_to_who_holds_it() -> None:
    look = dress(SeededRandom("screen"))
    front, back = draw(look, "phone_to_face", np.array([0.10, 0.40]))
    screen = np.array(PLAIN.ramp((206, 222, 236))[0])
    assert (back == screen).all(axis=2).sum() > 40 > (front == screen).all(axis=2).sum()
