"""Boxes and wheels beside a person."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from reidar_plugin.synthped.people.looks import dress
from reidar_plugin.synthped.people.shapes import Shapes
from reidar_plugin.synthped.people.skeleton import LEFT, RIGHT, point
from reidar_plugin.synthped.seeded_random import SeededRandom
from tests.synthped.people.drawn import TALL, VIEWS, body, figure, painted

LOOK = dress(SeededRandom("shapes"))
EVER = np.ones(8, bool)


def shapes() -> Shapes:
    return Shapes(figure(LOOK), np.zeros(8))


def test_a_box_fills_what_its_corners_span() -> None:
    """By the corners' own projections: no pixel outside of them, and at least half of their bounding box."""
    draw, middle, half = shapes(), np.repeat(point(0.3, 0.5, 0.2), 8, axis=0), (0.05, 0.10, 0.15)
    draw.box(middle, half, draw.metal, np.zeros(8), EVER)
    corners = [
        draw.view.pixel(middle + point(*(h * s for h, s in zip(half, signs, strict=True))))
        for signs in product((-1, 1), repeat=3)
    ]
    for frame, picture in enumerate(painted(draw.sketch)):
        rows, columns = np.nonzero(body(picture))
        xs, ys = (np.array([corner[frame, axis] for corner in corners]) for axis in (0, 1))
        assert xs.min() - 1 <= columns.min() <= columns.max() <= xs.max() + 1
        assert ys.min() - 1 <= rows.min() <= rows.max() <= ys.max() + 1
        assert len(rows) > 0.5 * np.ptp(xs) * np.ptp(ys)


def test_a_box_is_drawn_in_its_frames_only() -> None:
    draw, shown = shapes(), np.arange(8) % 2 == 0
    draw.box(np.repeat(point(0.3, 0.5, 0.2), 8, axis=0), (0.1, 0.1, 0.1), draw.metal, np.zeros(8), shown)
    assert [bool(body(picture).any()) for picture in painted(draw.sketch)] == shown.tolist()


def test_a_wheel_is_round_from_the_side_and_a_line_from_the_front() -> None:
    draw = shapes()
    draw.wheel(draw.sketch.part(0.0), (0.0, 0.3, 0.0), 0.2, 1.0)
    pictures = painted(draw.sketch)
    sizes = [
        (np.ptp(np.nonzero(body(picture))[1]), np.ptp(np.nonzero(body(picture))[0])) for picture in pictures
    ]
    assert sizes[2] == pytest.approx((0.4 * TALL, 0.4 * TALL), abs=3)  # VIEWS[2] is a quarter turn
    assert sizes[0] == pytest.approx((0, 0.4 * TALL), abs=3)
    assert VIEWS[2] == 0.25


def test_the_hand_is_beyond_the_wrist() -> None:
    draw = shapes()
    for side in (LEFT, RIGHT):
        elbow, wrist = draw.bones.elbows[side], draw.bones.wrists[side]
        past = np.linalg.norm(draw.hand(side) - elbow, axis=1) / np.linalg.norm(wrist - elbow, axis=1)
        np.testing.assert_allclose(past, 1.15)


def test_what_is_nearer_than_the_trunk_is_painted_later() -> None:
    draw = shapes()
    ranks = draw.away(draw.spot(0.0, 0.5, 0.3), 0.8, 0.7)  # ahead of the person, who turns
    assert ranks.tolist() == [
        0.8,
        0.8,
        0.8,
        -0.7,
        -0.7,
        -0.7,
        0.8,
        0.8,
    ]  # from the side the trunk does not hide it
    assert draw.away(draw.spot(0.0, 0.5, -0.3), 0.8)[0] == -0.8


def test_the_working_hand() -> None:
    right, left = (Shapes(figure(replace(LOOK, right_handed=value)), np.zeros(8)) for value in (True, False))
    assert (right.side, right.sign, left.side, left.sign) == (RIGHT, -1.0, LEFT, 1.0)
