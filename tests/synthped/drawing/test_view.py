"""Where a point of a body falls in the picture."""

import numpy as np

from reidar_plugin.synthped.drawing.view import View


def test_eye_by_hand() -> None:  # facing the camera, the person's left is at the right of the picture
    front = View(np.zeros(1), 0.0, np.array([100.0]), np.array([[50.0, 200.0]]), 0.0)
    np.testing.assert_allclose(front.pixel(np.array([[0.1, 1.0, 0.3]])), [[60.0, 100.0]])
    np.testing.assert_allclose(front.depth(np.array([[0.1, 1.0, 0.3]])), [0.3])
    right = View(np.full(1, 0.25), 0.0, np.array([100.0]), np.array([[50.0, 200.0]]), 0.0)
    np.testing.assert_allclose(right.pixel(np.array([[0.1, 1.0, 0.3]])), [[80.0, 100.0]])
    np.testing.assert_allclose(
        right.depth(np.array([[0.1, 1.0, 0.3]])), [-0.1]
    )  # the left side is the far one
    np.testing.assert_allclose(right.width(0.12, 0.05), [5.0])


def test_a_camera_that_looks_down_sees_what_is_nearer_further_down() -> None:
    view = View(np.zeros(1), 0.05, np.array([100.0]), np.array([[50.0, 200.0]]), 0.0)
    near, far = (view.pixel(np.array([[0.0, 0.0, z]]))[0, 1] for z in (0.2, -0.2))
    assert near > 200.0 > far
