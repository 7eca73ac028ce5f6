"""Clothes: what they cover, and in which colours."""

from dataclasses import replace

import numpy as np
import pytest

from reidar_plugin.synthped.people.clothes import draw_clothes
from reidar_plugin.synthped.people.looks import Look, dress
from reidar_plugin.synthped.seeded_random import Array, SeededRandom
from tests.synthped.people.drawn import GROUND, PLAIN, TALL, VIEWS, figure, painted, where

LOOK = replace(
    dress(SeededRandom("clothes")), build="medium", top="shirt", top_colour="red", top_second="white",
    texture="plain", sleeves="long", bottom="trousers", bottom_colour="blue", shoes="black",
)  # fmt: skip


def clothed(look: Look, headings: Array = VIEWS) -> list[Array]:
    person = figure(look, headings)
    draw_clothes(person)
    return painted(person.sketch)


def skin(look: Look) -> list[int]:
    """Pixels of skin, by view."""
    ramp = figure(look).skin
    return [int(where(picture, ramp).sum()) for picture in clothed(look)]


def test_the_shirt_is_above_the_trousers() -> None:
    for picture in clothed(LOOK):
        shirt = np.flatnonzero(where(picture, PLAIN.ramp((166, 50, 50))).any(axis=1))
        trousers = np.flatnonzero(where(picture, PLAIN.ramp((54, 84, 142))).any(axis=1))
        assert shirt.mean() < trousers.mean()
        assert shirt[0] < trousers[0]


@pytest.mark.parametrize("bare", [{"sleeves": "short"}, {"bottom": "shorts"}, {"bottom": "skirt"}], ids=str)
def test_short_clothes_show_skin(bare: dict[str, str]) -> None:
    more, less = skin(replace(LOOK, **bare)), skin(LOOK)  # type: ignore[arg-type]
    assert all(a > b + 50 for a, b in zip(more, less, strict=True))


def test_a_coat_reaches_the_thigh() -> None:
    red = PLAIN.ramp((166, 50, 50))
    for short, long in zip(clothed(LOOK), clothed(replace(LOOK, top="coat")), strict=True):
        hems = [np.flatnonzero(where(picture, red).any(axis=1))[-1] for picture in (short, long)]
        assert hems[1] > hems[0] + 0.05 * TALL


@pytest.mark.parametrize("texture", ["stripes", "checks", "print"])
def test_a_texture_shows_the_second_colour(texture: str) -> None:
    white = PLAIN.ramp((228, 226, 220))[1:2]
    for heading in (0.0, 0.5):
        plain, patterned = (
            clothed(replace(LOOK, texture=kind), np.array([heading]))[0] for kind in ("plain", texture)
        )
        assert where(plain, white).sum() == 0
        assert where(patterned, white).sum() > 40


def test_shoes_are_on_the_ground() -> None:
    for picture in clothed(LOOK):
        rows = np.flatnonzero(where(picture, PLAIN.ramp((40, 40, 44))[:2]).any(axis=1))
        assert rows.size
        assert rows[0] > GROUND - 0.08 * TALL
