"""Which people of a set do what."""

from collections import Counter

import pytest

from reidar_plugin.synthped.actions import ACTIONS, PASSING, SHARES, action_shares, hand_out
from reidar_plugin.synthped.seeded_random import SeededRandom


@pytest.mark.parametrize(("number", "least"), [(10, 1), (47, 1), (48, 2), (95, 2), (96, 3), (160, 3)])
def test_no_action_is_left_out(number: int, least: int) -> None:
    counts = Counter(hand_out(SHARES["mars", "train"], number, SeededRandom(0)))
    assert sum(counts.values()) == number
    assert min(counts[action] for action in ACTIONS) == least
    assert counts.most_common(1)[0][0] == "walking"


def test_too_few_people_for_all_actions() -> None:
    assert Counter(hand_out(SHARES["mars", "train"], 3, SeededRandom(0))) == {
        "walking": 2,
        "item_one_hand": 1,
    }


def test_shares_that_add_up_are_met() -> None:
    people = hand_out(SHARES["mars", "test"], 634, SeededRandom(0))
    assert tuple(Counter(people)[action] for action in ACTIONS) == SHARES["mars", "test"]
    assert people != sorted(people, key=ACTIONS.index)  # in random order


def test_what_a_tracklet_passes_through_is_another_action() -> None:
    assert set(PASSING) == set(ACTIONS)
    for label, others in PASSING.items():
        assert {name for name, _ in others} <= set(ACTIONS) - {label}


def test_shares() -> None:
    assert action_shares("lpw", "train", "paper") == SHARES["lpw", "train"]
    assert action_shares("lpw", "train", "even") == (1,) * 8
