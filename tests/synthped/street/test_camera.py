"""Cameras: the same for the same seed, and pictures through their lenses."""

from dataclasses import replace

import numpy as np

from reidar_plugin.synthped.street.camera import STYLES, Lens, make_cameras

CAMERA = make_cameras(0, 1)[0]


def test_more_cameras_leave_the_others_as_they_are() -> None:
    assert make_cameras(3, 6)[:2] == make_cameras(3, 2)
    assert make_cameras(3, 2) != make_cameras(4, 2)
    cameras = make_cameras(3, 6)
    assert [camera.number for camera in cameras] == [1, 2, 3, 4, 5, 6]
    assert {camera.style for camera in cameras} == set(STYLES)  # six cameras, six places


def test_grade_by_hand() -> None:
    plain = replace(CAMERA, gain=(1.0, 0.5, 2.0), bend=0.0, contrast=1.0).grade()
    np.testing.assert_array_equal(plain[0], np.arange(256))
    assert (plain[1][100], plain[2][100], plain[2][200]) == (50, 200, 255)
    bright, dark = (
        replace(CAMERA, gain=(1.0,) * 3, contrast=1.0, bend=bend).grade()[0] for bend in (0.5, -0.5)
    )
    assert bright[128] > 128 > dark[128]
    assert (bright[0], bright[255], dark[0], dark[255]) == (0, 255, 0, 255)
    flat = replace(CAMERA, gain=(1.0,) * 3, contrast=0.5, bend=0.0).grade()[0]
    assert (flat[0], flat[255]) == (64, 191)


def test_a_lens_halves_the_size_and_adds_bounded_noise() -> None:
    lens = Lens(replace(CAMERA, noise=10.0, blur=0.0), (32, 16), seed=0)
    image = np.full((64, 32, 3), 100, np.uint8)
    picture = lens.picture(image, np.array([5, 6, 7, 8]))
    assert picture.shape == (32, 16, 3)
    noise = picture.astype(int) - 100
    assert 0 < np.abs(noise).max() <= 16
    assert abs(noise.mean()) < 1.5
    np.testing.assert_array_equal(picture, lens.picture(image, np.array([5, 6, 7, 8])))
    assert (picture != lens.picture(image, np.array([9, 6, 7, 8]))).any()  # each frame has its own


def test_a_blurred_edge_is_wider() -> None:
    image = np.zeros((64, 32, 3), np.uint8)
    image[:, 16:] = 200
    sharp, soft = (
        Lens(replace(CAMERA, noise=0.0, blur=blur), (32, 16), 0).picture(image, np.zeros(4, int))[16, :, 0]
        for blur in (0.0, 16.0)
    )
    assert set(sharp.tolist()) == {0, 200}
    assert len(set(soft.tolist())) > 3
