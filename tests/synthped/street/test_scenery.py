"""Backgrounds: six places that differ, the same for the same seed, without an end."""

from dataclasses import replace

import numpy as np
import pytest

from reidar_plugin.synthped.seeded_random import Array
from reidar_plugin.synthped.street.camera import STYLES, make_cameras
from reidar_plugin.synthped.street.scenery import Scene, paint_scene

WINDOW = (64, 32)
CAMERA = make_cameras(0, 1)[0]


def seen(scene: Scene, x: int, y: int = 0) -> Array:
    image = np.zeros((*WINDOW, 3), np.uint8)
    scene.copy_to(image, x, y)
    return image


@pytest.mark.parametrize("style", STYLES)
def test_a_place_is_painted_all_over_and_the_same_every_time(style: str) -> None:
    camera = replace(CAMERA, style=style)
    scene, again = (paint_scene(camera, 0, WINDOW) for _ in range(2))
    for x in range(0, 7 * 64, 32):
        assert len(np.unique(seen(scene, x).reshape(-1, 3), axis=0)) > 100
        np.testing.assert_array_equal(seen(scene, x), seen(again, x))
    assert (seen(scene, 0) != seen(paint_scene(camera, 1, WINDOW), 0)).any()


def test_places_differ() -> None:
    views = [seen(paint_scene(replace(CAMERA, style=style), 0, WINDOW), 100).astype(int) for style in STYLES]
    for one in range(6):
        for other in range(one):
            assert np.abs(views[one] - views[other]).mean() > 10


def test_one_can_walk_on_for_ever() -> None:
    scene = paint_scene(CAMERA, 0, WINDOW)
    for x in (0, 100, 7 * 64 - 1):
        np.testing.assert_array_equal(seen(scene, x), seen(scene, x + 7 * 64))
        np.testing.assert_array_equal(seen(scene, x), seen(scene, x - 7 * 64))
    step = seen(scene, 7 * 64 - 1)[:, 1:]  # no seam where the loop closes
    np.testing.assert_array_equal(step, seen(scene, 0)[:, :-1])


def test_a_window_that_slips_stays_on_the_painting() -> None:
    scene = paint_scene(CAMERA, 0, WINDOW)
    np.testing.assert_array_equal(seen(scene, 0, 3)[:-3], seen(scene, 0)[3:])
    np.testing.assert_array_equal(seen(scene, 0, 99), seen(scene, 0, 8))
    np.testing.assert_array_equal(seen(scene, 0, -99), seen(scene, 0, -8))
