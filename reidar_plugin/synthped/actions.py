"""The eight actions of the Re-ID-AR paper: how many people do which, and what else may happen in a tracklet."""

from reidar_plugin.synthped.seeded_random import SeededRandom

__all__ = ["ACTIONS", "PASSING", "SHARES", "action_shares", "hand_out"]

ACTIONS = (
    "walking",
    "riding",
    "item_one_hand",
    "item_both_hands",
    "holding_hands",
    "phone_to_ear",
    "phone_to_face",
    "trolley",
)
"""In the order of Table 1 of the Re-ID-AR paper; the published label files of this folder count from 1."""

SHARES = {
    ("mars", "train"): (396, 20, 151, 33, 3, 5, 14, 3),
    ("mars", "test"): (439, 10, 116, 28, 4, 8, 27, 2),
    ("lpw", "train"): (946, 9, 368, 939, 36, 86, 189, 128),
    ("lpw", "test"): (488, 92, 97, 284, 36, 14, 53, 6),
}
"""People (MARS) or people in a view (LPW) with each action: the counts of Table 1."""

PASSING = {
    "walking": (
        ("phone_to_face", 4.0),
        ("phone_to_ear", 2.0),
        ("item_one_hand", 3.0),
        ("holding_hands", 0.5),
    ),
    "riding": (("walking", 1.0),),
    "item_one_hand": (
        ("walking", 4.0),
        ("phone_to_face", 1.0),
        ("phone_to_ear", 1.0),
        ("item_both_hands", 2.0),
    ),
    "item_both_hands": (("walking", 1.0), ("item_one_hand", 3.0)),
    "holding_hands": (("walking", 1.0),),
    "phone_to_ear": (("walking", 2.0), ("phone_to_face", 1.0)),
    "phone_to_face": (("walking", 2.0), ("phone_to_ear", 1.0), ("item_one_hand", 0.5)),
    "trolley": (("walking", 1.0), ("phone_to_face", 0.5)),
}
"""Which other action a tracklet of each label may pass through, with weights."""


def action_shares(layout: str, split: str, shares: str) -> tuple[int, ...]:
    """Weights of the eight actions: those of the ``paper``, or ``even``."""
    return SHARES[layout, split] if shares == "paper" else (1,) * len(ACTIONS)


def hand_out(shares: tuple[int, ...], number: int, random: SeededRandom) -> list[str]:
    """Give each of ``number`` people an action, in the given shares and in random order.

    Shares that add up to ``number`` are met exactly, others by largest remainders. No action is left out where there
    are eight people or more; from 96 people on each action has three people, or as many as its share if that is less.

    Args:
        shares: weights of the eight actions.
        number: number of people.
        random: decides who does what.
    """
    total = sum(shares)
    least = 3 if number >= 96 else 2 if number >= 48 else 1 if number >= len(shares) else 0
    floor = [min(least, share) for share in shares]
    exact = [share * number / total for share in shares]
    counts = [max(low, int(value)) for low, value in zip(floor, exact, strict=True)]
    while sum(counts) != number:
        missing = sum(counts) < number
        gaps = [value - count for value, count in zip(exact, counts, strict=True)]
        open_to_change = [i for i, count in enumerate(counts) if missing or count > floor[i]]
        index = (max if missing else min)(open_to_change, key=lambda i: gaps[i])
        counts[index] += 1 if missing else -1
    names = [name for name, count in zip(ACTIONS, counts, strict=True) for _ in range(count)]
    return [names[index] for index in random.permutation(number)]
