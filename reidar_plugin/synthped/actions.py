"""What people of SynthPed do: the paper's eight actions, how often, and what else may happen on the way."""

from .dice import Dice

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


def hand_out(shares: tuple[int, ...], number: int, dice: Dice) -> list[str]:
    """Actions for ``number`` people in the given shares: largest remainders, shuffled.

    Shares that add up to ``number`` are met exactly. In smaller sets no action is left out, if there are people enough,
    and from 96 people on each has as many as in MARS or three: MARS, too, has three people who hold hands.
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
        place = (max if missing else min)(open_to_change, key=lambda i: gaps[i])
        counts[place] += 1 if missing else -1
    names = [name for name, count in zip(ACTIONS, counts, strict=True) for _ in range(count)]
    return [names[place] for place in dice.order(number)]
