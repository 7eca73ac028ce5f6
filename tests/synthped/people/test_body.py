"""Proportions of people."""

from dataclasses import replace

import numpy as np

from reidar_plugin.synthped.people.body import proportions
from reidar_plugin.synthped.people.looks import dress
from reidar_plugin.synthped.seeded_random import SeededRandom
from tests.synthped.people.drawn import PLAIN, figure

LOOK = replace(dress(SeededRandom("body")), gender="male", age="adult", build="medium")


def test_widths_follow_build_gender_and_age() -> None:
    man, slim, heavy = (proportions(replace(LOOK, build=build)) for build in ("medium", "slim", "heavy"))
    woman, child = proportions(replace(LOOK, gender="female")), proportions(replace(LOOK, age="child"))
    assert slim.waist < man.waist < heavy.waist
    assert slim.deep < man.deep < heavy.deep
    assert woman.shoulder < man.shoulder
    assert woman.hip > man.hip
    assert child.head > man.head == woman.head


def test_a_figure_has_the_colours_of_its_look() -> None:
    drawn = figure(replace(LOOK, skin=4, top_colour="red", bottom="trousers", bottom_colour="white"))
    assert drawn.skin == PLAIN.ramp((98, 66, 48))
    assert (drawn.top, drawn.bottom) == (PLAIN.ramp((166, 50, 50)), PLAIN.ramp((228, 226, 220)))
    dress_ = figure(replace(LOOK, top_colour="red", bottom="dress", bottom_colour="white"))
    assert dress_.bottom == dress_.top  # a dress is one piece


def test_a_figure_is_seen_where_its_joints_are() -> None:
    drawn = figure(LOOK, np.array([0.0]))
    head, pelvis = drawn.pixel(drawn.bones.head)[0], drawn.pixel(drawn.bones.pelvis)[0]
    assert head[1] < pelvis[1]  # pixels are counted downwards
    assert abs(head[0] - pelvis[0]) < 2
