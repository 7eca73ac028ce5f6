"""Painting on the closed loop of a background."""

import numpy as np
import pytest

from reidar_plugin.synthped.seeded_random import Array
from reidar_plugin.synthped.street.camera import make_cameras
from reidar_plugin.synthped.street.painting import FEET, Backdrop, loop_canvas

HEIGHT = 64
CAMERA = make_cameras(0, 1)[0]


@pytest.fixture
def backdrop() -> Backdrop:
    return Backdrop(CAMERA, 0, loop_canvas(CAMERA, HEIGHT))


def painted(backdrop: Backdrop) -> Array:
    return backdrop.image.any(axis=2)


def test_a_rectangle_lies_where_it_is_asked_for(backdrop: Backdrop) -> None:
    backdrop.rect(1.0, 0.1, 2.0, 0.3, (250, 250, 250))
    rows, columns = np.nonzero(painted(backdrop))
    assert (columns.min(), columns.max()) == (HEIGHT, 2 * HEIGHT)
    assert backdrop.back - rows.max() == pytest.approx(0.1 * HEIGHT, abs=1)
    assert backdrop.back - rows.min() == pytest.approx(0.3 * HEIGHT, abs=1)


def test_what_passes_the_end_comes_in_again(backdrop: Backdrop) -> None:
    assert backdrop.length == 7.0
    backdrop.rect(6.75, 0.1, 7.25, 0.3, (250, 250, 250))
    backdrop.blob(0.0, -0.05, 0.1, 0.02, (250, 250, 250))
    columns = painted(backdrop).any(axis=0)
    assert columns[:16].all()
    assert columns[-16:].all()
    assert not columns[20:-20].any()


def test_objects_stand_along_the_whole_loop(backdrop: Backdrop) -> None:
    xs = backdrop.along(0.5, 0.8)
    gaps = np.diff(xs)
    assert gaps.min() >= 0.5
    assert gaps.max() <= 0.8
    assert xs[0] < 0.5
    assert 0.3 <= 7.0 - xs[-1] <= 1.2


def test_the_pavement_reaches_from_its_end_to_the_lower_edge(backdrop: Backdrop) -> None:
    backdrop.ground((200, 200, 200), 0.3)
    ground = painted(backdrop)
    top = int(backdrop.back)
    assert ground[top + 1 :].all()
    assert not ground[: top - 1].any()
    assert top < HEIGHT // 8 + FEET * HEIGHT
    assert len(np.unique(backdrop.image[top + 2 :, :, 0])) > 2  # joints


def test_shade_darkens_an_ellipse(backdrop: Backdrop) -> None:
    backdrop.image[:] = 100
    backdrop.shade(1.0, 0.2, 0.2, 0.1, 0.5)
    row, column = int(backdrop.back - 0.2 * HEIGHT), HEIGHT
    assert backdrop.image[row, column].tolist() == [50, 50, 50]
    assert np.unique(backdrop.image).tolist() == [50, 100]
    share = (backdrop.image[..., 0] == 50).sum() / (np.pi * 0.2 * 0.1 * HEIGHT**2)
    assert share == pytest.approx(1.0, abs=0.25)


def test_the_finished_painting_has_grain_all_over(backdrop: Backdrop) -> None:
    backdrop.ground((200, 190, 180), 0.3)
    backdrop.stains(20)
    image = backdrop.finish()
    assert image.shape == (HEIGHT + 16, 7 * HEIGHT, 3)
    assert len(np.unique(image[:10])) > 3  # grain, also where nothing was painted
