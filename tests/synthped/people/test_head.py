"""Heads: hats on top, faces in front, hair behind."""

from dataclasses import replace

import numpy as np
import pytest

from reidar_plugin.synthped.people.head import draw_head
from reidar_plugin.synthped.people.looks import HAIRS, Look, dress
from reidar_plugin.synthped.seeded_random import Array, SeededRandom
from tests.synthped.people.drawn import PLAIN, VIEWS, body, figure, painted, where

LOOK = replace(
    dress(SeededRandom("head")),
    age="adult",
    skin=0,
    hair="short",
    hair_colour="brown",
    hat="none",
    hat_colour="red",
)


def heads(look: Look, headings: Array = VIEWS) -> list[Array]:
    person = figure(look, headings)
    draw_head(person)
    return painted(person.sketch)


@pytest.mark.parametrize("hat", ["cap", "beanie", "brim"])
def test_a_hat_is_on_top_of_the_head(hat: str) -> None:
    red = PLAIN.ramp((166, 50, 50))
    for picture in heads(replace(LOOK, hat=hat)):
        rows, head = (
            np.flatnonzero(where(picture, red).any(axis=1)),
            np.flatnonzero(body(picture).any(axis=1)),
        )
        assert rows.size
        assert rows[0] == head[0]  # nothing is above it
        assert rows.mean() < head.mean()
    assert not any(where(picture, red).any() for picture in heads(LOOK))


def test_a_face_is_seen_from_the_front_only() -> None:
    skin = figure(LOOK).skin
    seen = [int(where(picture, skin).sum()) for picture in heads(LOOK)]
    assert seen[0] > 150
    assert seen[4] < 5  # from behind
    assert seen[0] > seen[2] > seen[4]


def test_long_hair_hangs_lower() -> None:
    hair = PLAIN.ramp(HAIRS["brown"])
    ends = [
        np.flatnonzero(where(heads(replace(LOOK, hair=style))[4], hair).any(axis=1))[-1]
        for style in ("short", "medium", "long")
    ]
    assert ends == sorted(set(ends))


def test_the_bald_have_no_hair() -> None:
    hair = PLAIN.ramp(HAIRS["brown"])
    assert not any(where(picture, hair).any() for picture in heads(replace(LOOK, hair="bald")))
    assert all(where(picture, hair).any() for picture in heads(LOOK))
