"""Things along a street, each within the space it is given."""

from collections.abc import Callable

import numpy as np
import pytest

from reidar_plugin.synthped.street.camera import make_cameras
from reidar_plugin.synthped.street.objects import Street
from reidar_plugin.synthped.street.painting import loop_canvas

HEIGHT = 64
X = 3.0
CAMERA = make_cameras(0, 1)[0]

OBJECTS: dict[str, tuple[Callable[[Street], None], tuple[float, float, float, float]]] = {
    "window": (lambda s: s.window_frame(X, 0.3, 0.4, 0.5, (220, 220, 220)), (-0.03, 0.255, 0.43, 0.82)),
    "door": (lambda s: s.door(X, (80, 60, 50)), (-0.02, 0.0, 0.30, 0.72)),
    "tree": (lambda s: s.tree(X, 1.0), (-0.41, 0.0, 0.41, 1.25)),
    "foliage": (lambda s: s.foliage(X, 0.4, 0.3, 0.2, 60), (-0.36, 0.16, 0.36, 0.64)),
    "car": (lambda s: s.car(X), (-0.06, -0.04, 1.16, 0.41)),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_stays_in_its_space(name: str) -> None:
    """Bounds are left, low, right, top from where it stands; at least a fifth of them is filled."""
    draw, (left, low, right, top) = OBJECTS[name]
    street = Street(CAMERA, 0, loop_canvas(CAMERA, HEIGHT))
    before = street.image.copy()
    draw(street)
    rows, columns = np.nonzero((street.image != before).any(axis=2))
    assert (X + left) * HEIGHT - 1.5 <= columns.min()
    assert columns.max() <= (X + right) * HEIGHT + 1.5
    assert street.back - top * HEIGHT - 1.5 <= rows.min()
    assert rows.max() <= street.back - low * HEIGHT + 1.5
    assert len(rows) > (right - left) * min(top - low, street.back / HEIGHT) * HEIGHT**2 / 5


def test_walls_and_hedges_go_all_round() -> None:
    for draw in (
        lambda s: s.wall((150, 96, 78), bricks=False),
        lambda s: s.wall((150, 96, 78), bricks=True),
        lambda s: s.hedge(0.3),
    ):
        street = Street(CAMERA, 0, loop_canvas(CAMERA, HEIGHT))
        draw(street)
        assert street.image[int(street.back) - 3].any(axis=1).all()


def test_bricks_show() -> None:
    colours = []
    for bricks in (False, True):
        street = Street(CAMERA, 0, loop_canvas(CAMERA, HEIGHT))
        street.wall((150, 96, 78), bricks)
        colours.append(len(np.unique(street.image[: int(street.back) - 8].reshape(-1, 3), axis=0)))
    assert colours[0] == 1
    assert colours[1] > 5
