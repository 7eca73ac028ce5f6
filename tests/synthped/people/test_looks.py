"""Looks: no two people share everything, and many share clothes."""

import pytest

from reidar_plugin.synthped.people import looks
from reidar_plugin.synthped.people.looks import dress, dress_all
from reidar_plugin.synthped.seeded_random import SeededRandom


def test_nobody_shares_everything_and_many_share_clothes() -> None:
    crowd = dress_all(634, 0, "test")
    assert len(set(crowd)) == 634
    clothes = [(look.top_colour, look.bottom_colour) for look in crowd]
    shared = sum(clothes.count(pair) > 1 for pair in clothes) / len(clothes)
    assert shared > 0.9
    assert len({look.top_name for look in crowd}) == 9
    assert len({look.bottom_name for look in crowd}) >= 8


def test_who_looks_like_somebody_is_dressed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    dressed = iter([dress(SeededRandom("one")), dress(SeededRandom("one")), dress(SeededRandom("two"))])
    monkeypatch.setattr(looks, "dress", lambda random: next(dressed))
    assert dress_all(2, 0, "x") == [dress(SeededRandom("one")), dress(SeededRandom("two"))]
