"""Things on wheels."""

from dataclasses import replace

import numpy as np
import pytest

from reidar_plugin.synthped.people.looks import dress
from reidar_plugin.synthped.people.vehicles import Vehicles
from reidar_plugin.synthped.seeded_random import SeededRandom
from tests.synthped.people.drawn import GROUND, TALL, body, draw, figure, painted


def test_a_rider_has_two_round_wheels() -> None:
    picture = draw(dress(SeededRandom("wheels")), "riding", np.array([0.25]))[0]
    columns = np.flatnonzero(body(picture).any(axis=0))
    assert columns[-1] - columns[0] > 0.9 * TALL  # a bicycle is about as long as its rider is tall
    tyre = np.abs(picture.astype(int) - 24).max(axis=2) < 3
    middle = int(GROUND - 0.185 * TALL)  # the height of the hubs
    hubs = np.flatnonzero(tyre[middle])
    assert hubs[-1] - hubs[0] == pytest.approx((0.66 + 2 * 0.178) * TALL, abs=6)  # from rim to rim
    for z in (-0.285, 0.375):  # the rims, above and below the hubs
        column = tyre[:, int(128 + z * TALL) - 1 : int(128 + z * TALL) + 2].any(axis=1)
        assert {True} == {
            bool(column[int(middle + d * 0.178 * TALL) - 3 : int(middle + d * 0.178 * TALL) + 4].any())
            for d in (-1, 1)
        }


@pytest.mark.parametrize(("vehicle", "ahead"), [("suitcase", False), ("cart", True), ("pram", True)])
def test_a_trolley_is_pulled_or_pushed(vehicle: str, ahead: bool) -> None:
    """Seen from the side, of who walks to the right: what the trolley adds is ahead or behind, and on the ground."""
    look = replace(dress(SeededRandom("trolley")), vehicle=vehicle)
    person = figure(look, np.array([0.25]))
    Vehicles(person, np.zeros(1)).trolley(np.ones(1, bool))
    rows, columns = np.nonzero(body(painted(person.sketch)[0]))
    assert (np.median(columns) > 128 + 0.15 * TALL) if ahead else (np.median(columns) < 128 - 0.10 * TALL)
    assert abs(int(rows.max()) - GROUND) < 0.05 * TALL
    assert rows.min() > GROUND - 0.7 * TALL
