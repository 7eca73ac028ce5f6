"""Each operation on frames against one that treats a frame and a pixel at a time."""

import numpy as np
import pytest
import torch
from torch import Tensor

from reidar_plugin.data.pixel_ops import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Normalise,
    crop,
    erase,
    mirror,
    pad,
    to_device_of,
    translate,
)
from reidar_plugin.errors import ConfigError

FRAMES = torch.randint(0, 256, (3, 6, 4, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_by_hand() -> None:
    frame = torch.arange(2 * 3, dtype=torch.uint8).view(1, 2, 3, 1).expand(1, 2, 3, 3)
    assert mirror(frame, torch.tensor([True]))[0, :, :, 0].tolist() == [[2, 1, 0], [5, 4, 3]]
    assert mirror(frame, torch.tensor([False]))[0, :, :, 0].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert pad(frame, 1)[0, 0].sum() == 0
    assert pad(frame, 1)[0, 1, :, 2].tolist() == [0, 0, 1, 2, 0]
    assert crop(frame, torch.tensor([[1, 1]]), 1, 2)[0, :, :, 0].tolist() == [[4, 5]]
    same = translate(frame, torch.tensor([[2, 3]]), torch.tensor([[0, 0]]), 2, 3)
    torch.testing.assert_close(same[0, :, :, 0], torch.tensor([[0.0, 1, 2], [3, 4, 5]]))


def test_mirror_swaps_only_the_chosen_frames() -> None:
    expected = [
        frame[:, ::-1] if chosen else frame for frame, chosen in zip(FRAMES.numpy(), (1, 0, 1), strict=True)
    ]
    assert np.array_equal(mirror(FRAMES, torch.tensor([True, False, True])).numpy(), np.stack(expected))


def test_crop_takes_a_window_of_each_frame() -> None:
    corners = torch.tensor([[0, 0], [2, 1], [3, 2]])
    expected = [frame[y : y + 3, x : x + 2] for frame, (y, x) in zip(FRAMES, corners.tolist(), strict=True)]
    assert torch.equal(crop(FRAMES, corners, 3, 2), torch.stack(expected))


def bilinear(frame: Tensor, y: float, x: float) -> list[float]:
    """The value at a point whose whole numbers are pixel centres; points outside count as the edge."""
    height, width = frame.shape[:2]
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = int(y), int(x)
    below, right = min(top + 1, height - 1), min(left + 1, width - 1)
    a, b = y - top, x - left
    rows = (
        (1 - b) * frame[top, left].float() + b * frame[top, right],
        (1 - b) * frame[below, left].float() + b * frame[below, right],
    )
    return ((1 - a) * rows[0] + a * rows[1]).tolist()


def test_translate_resizes_and_crops() -> None:
    sizes, corners = torch.tensor([[6, 4], [9, 6], [7, 8]]), torch.tensor([[0, 0], [2, 1], [1, 4]])
    moved = translate(FRAMES, sizes, corners, 6, 4)
    assert moved.dtype == torch.float32
    for frame, (tall, wide), (top, left), got in zip(
        FRAMES, sizes.tolist(), corners.tolist(), moved, strict=True
    ):
        for y in range(6):
            for x in range(4):
                at = (top + y + 0.5) / tall * 6 - 0.5, (left + x + 0.5) / wide * 4 - 0.5
                torch.testing.assert_close(got[y, x], torch.tensor(bilinear(frame, *at)), atol=1e-2, rtol=0)


def test_erase_fills_each_rectangle_in_place() -> None:
    images = Normalise()(FRAMES)
    expected = images.clone()
    boxes = [[1, 0, 3, 2], [0, 0, 0, 4], [4, 3, 2, 1]]
    fill = torch.tensor([7.0, 8.0, 9.0])
    for frame, (top, left, tall, wide) in zip(expected, boxes, strict=True):
        for y in range(top, top + tall):
            for x in range(left, left + wide):
                frame[:, y, x] = fill
    assert erase(images, torch.tensor(boxes), fill) is images
    assert torch.equal(images, expected)


def test_erase_refuses_a_layout_that_it_would_copy() -> None:
    box = torch.tensor([[0, 0, 1, 1]])
    with pytest.raises(RuntimeError, match="view"):
        erase(torch.zeros(1, 3, 4, 5), box, torch.zeros(3))


def test_normalise_is_what_the_host_does() -> None:
    frames = torch.randint(0, 256, (2, 2, 24, 12, 3), dtype=torch.uint8)
    got = Normalise()(frames)
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    torch.testing.assert_close(got, ((frames / 255 - mean) / std).movedim(-1, 2))
    assert got.shape == (2, 2, 3, 24, 12)
    floats = frames.float()
    assert torch.equal(Normalise()(floats), got)
    assert torch.equal(floats, frames.float())  # not changed in place


def test_pad_is_always_a_copy() -> None:
    assert pad(FRAMES, 0).data_ptr() != FRAMES.data_ptr()
    assert torch.equal(pad(FRAMES, 0), FRAMES)
    assert pad(FRAMES, 2).shape == (3, 10, 8, 3)


def test_numbers_move_to_the_device_of_the_frames() -> None:
    assert to_device_of(torch.empty(1, device="meta"), torch.ones(2)).device.type == "meta"


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"frames \(\.\.\., H, W, 3\), got shape \(4, 5\)"):
        Normalise()(torch.zeros(4, 5))
    with pytest.raises(ConfigError, match=r"three deviations > 0, got .*\(1, 0, 1\)"):
        Normalise(std=(1, 0, 1))
