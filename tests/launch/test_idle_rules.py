"""Patterns of keys, and conditions on a config."""

import pytest
from yacs.config import CfgNode

from reidar_plugin.launch.idle_rules import IdleKeys, Where, both, is_not, is_one

CFG = CfgNode({"a": {"b": 1, "c": "x"}})


@pytest.mark.parametrize(
    ("patterns", "key", "name"),
    [
        ("a.b", "a.b", ""),
        ("a.b", "a.bc", None),
        ("a.b", "axb", None),
        ("a.b a.c", "a.c", ""),
        ("a.*", "a.b.c", ""),
        ("a.*", "a", None),
        ("a.b_*", "a.b_wide", ""),
        ("a.b_*", "a.b", None),
        ("a.<term>.*", "a.x.y.z", "x"),
        ("a.<term>", "a.x.y", None),
        ("b.<term> a.<term>.*", "a.triplet.margin", "triplet"),
    ],
)
def test_patterns(patterns: str, key: str, name: str | None) -> None:
    assert IdleKeys(patterns, is_one("a.b", 1), "").match(key) == name


def test_conditions() -> None:
    one, other = is_one("a.b", 1, 2), is_not("a.c", "y", "z", "w")
    assert (one.text, other.text) == ("a.b is 1 or 2", "a.c is not y, z or w")
    assert one.holds(CFG, "")
    assert other.holds(CFG, "")
    assert not is_one("a.b", 2).holds(CFG, "")
    assert not is_not("a.c", "x").holds(CFG, "")
    joined = both(one, other)
    assert joined == Where("a.b is 1 or 2 and a.c is not y, z or w", ("a.b", "a.c"), joined.holds)
    assert joined.holds(CFG, "")
    assert not both(one, is_one("a.c", "y")).holds(CFG, "")


def test_advice_names_what_the_placeholder_stood_for() -> None:
    rule = IdleKeys(
        "a.<term>", Where("a.terms lacks <term>", ("a.terms",), lambda cfg, _: True), "name <term>"
    )
    assert rule.advice("triplet") == "where a.terms lacks triplet; name triplet"
