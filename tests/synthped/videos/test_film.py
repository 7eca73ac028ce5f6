"""Pictures of a street camera: pinned, with people where the truth says, and nothing else that moves."""

import hashlib
from dataclasses import replace
from itertools import islice

import numpy as np

from reidar_plugin.synthped.videos.film import film
from reidar_plugin.synthped.videos.street import Street
from reidar_plugin.synthped.videos.truth import truth_of

FRAMES = 60


def test_pictures_are_pinned(
    street: Street,
) -> None:  # the same pixels on every machine, before they are encoded
    total = hashlib.sha256()
    for picture in islice(film(street, street.cameras[0]), 0, FRAMES, 5):
        assert picture.shape == (96, 160, 3)
        total.update(picture.tobytes())
    assert total.hexdigest()[:16] == "545f0ce5f40940b1"


def test_people_are_where_the_truth_says(street: Street) -> None:
    empty = replace(street, visits=[])
    truth = truth_of(street, 2)
    inside = np.zeros((FRAMES, 96, 160), bool)
    for frame, box in zip(truth.frame, truth.box, strict=True):
        if frame < FRAMES:
            left, top, right, low = (max(int(v), 0) for v in (*box[:2], *(box[:2] + box[2:])))
            inside[frame, top : low + 1, left : right + 1] = True
    changed = [
        (full != bare).any(axis=2)
        for full, bare in zip(
            islice(film(street, street.cameras[1]), FRAMES),
            islice(film(empty, empty.cameras[1]), FRAMES),
            strict=True,
        )
    ]
    seen = np.stack(changed)
    assert seen.mean() > 0.01
    assert (seen & inside).sum() > 0.75 * seen.sum()  # the rest are wheels, and who is hardly in the picture
    whole = (truth.visibility == 1) & (truth.category == 1) & (truth.frame < FRAMES)  # type: ignore[operator]
    assert whole.sum() > 50
    for frame, box in zip(truth.frame[whole], truth.box[whole].astype(int), strict=True):
        left, top = np.maximum(box[:2], 0)
        assert seen[frame, top : box[1] + box[3], left : box[0] + box[2]].mean() > 0.15


def test_a_camera_does_not_move(street: Street) -> None:
    bare = replace(street, visits=[], cameras=[replace(c, noise=0.0) for c in street.cameras])
    first, *_, last = islice(film(bare, bare.cameras[0]), 5)
    np.testing.assert_array_equal(first, last)
