"""Bags: on the side where they belong, and never in the hand."""

from dataclasses import replace

import pytest

from reidar_plugin.synthped.people.looks import dress
from reidar_plugin.synthped.seeded_random import SeededRandom
from tests.synthped.people.drawn import GROUND, TALL, draw


@pytest.mark.parametrize("bag", ["handbag", "backpack"])
def test_a_walker_has_no_bag_in_the_hand(bag: str) -> None:  # it would look like an item in one hand
    look = dress(SeededRandom("bags"))
    with_bag, without = (draw(replace(look, bag=kind), "walking") for kind in (bag, "none"))
    hand = GROUND - int(0.53 * TALL)  # of an arm that hangs
    rows = [(one != other).any(axis=(1, 2)) for one, other in zip(with_bag, without, strict=True)]
    assert sum(view.sum() > 20 for view in rows) >= 5  # it is there, from most sides
    assert not any(view[hand:].any() for view in rows)
