"""Bags: on the side where they belong, and never in the hand."""

from dataclasses import replace

import numpy as np
import pytest

from reidar_plugin.synthped.people.bags import draw_bag
from reidar_plugin.synthped.people.looks import dress
from reidar_plugin.synthped.seeded_random import Array, SeededRandom
from tests.synthped.people.drawn import GROUND, PLAIN, TALL, draw, figure, painted, where


@pytest.mark.parametrize("bag", ["handbag", "backpack"])
def test_a_walker_has_no_bag_in_the_hand(bag: str) -> None:  # it would look like an item in one hand
    look = dress(SeededRandom("bags"))
    with_bag, without = (draw(replace(look, bag=kind), "walking") for kind in (bag, "none"))
    hand = GROUND - int(0.53 * TALL)  # of an arm that hangs
    rows = [(one != other).any(axis=(1, 2)) for one, other in zip(with_bag, without, strict=True)]
    assert sum(view.sum() > 20 for view in rows) >= 5  # it is there, from most sides
    assert not any(view[hand:].any() for view in rows)


def bag(kind: str, right_handed: bool, heading: float) -> Array:
    """Where a red bag is seen."""
    look = replace(dress(SeededRandom("bags")), bag=kind, bag_colour="red", right_handed=right_handed)
    person = figure(look, np.array([heading]))
    draw_bag(person)
    return where(painted(person.sketch)[0], PLAIN.ramp((166, 50, 50))[1:])


@pytest.mark.parametrize("kind", ["shoulder", "handbag"])
@pytest.mark.parametrize("right_handed", [True, False])
def test_a_bag_hangs_on_the_side_of_the_idle_hand(kind: str, right_handed: bool) -> None:
    """Of people who face the camera, the left side is at the right of the picture (column 128 is the middle)."""
    columns = np.flatnonzero(bag(kind, right_handed, 0.0)[GROUND - int(0.68 * TALL) :].any(axis=0))
    assert columns.size
    assert np.sign(np.median(columns) - 128) == (1 if right_handed else -1)


def test_a_backpack_is_on_the_back() -> None:
    """Who walks to the right has it at the left, and it is above the hip."""
    rows, columns = np.nonzero(bag("backpack", True, 0.25))
    assert np.median(columns) < 128 - 0.05 * TALL
    assert rows.min() > GROUND - 0.9 * TALL
    assert rows.max() < GROUND - 0.5 * TALL


def test_without_a_bag_nothing_is_drawn() -> None:
    person = figure(replace(dress(SeededRandom("bags")), bag="none"))
    draw_bag(person)
    assert not person.sketch.parts
