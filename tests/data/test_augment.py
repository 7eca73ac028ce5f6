"""Augmentation of a batch: as a loop over frames does it given the draw, and drawn as the papers draw."""

import math
import random
from typing import Any

import numpy as np
import pytest
import scipy  # its statistics take seconds to import, and only where they are named
import torch
from PIL import Image
from torch import Tensor

from reidar_plugin.data.augment import Augment, AugmentDraw
from reidar_plugin.data.pixel_ops import IMAGENET_MEAN, IMAGENET_STD
from reidar_plugin.data.seeding import torch_generator
from reidar_plugin.errors import ConfigError
from reidar_plugin.ranks.job import Job

H, W = 24, 12


def clips(*shape: int) -> Tensor:
    return torch.randint(
        0, 256, (*shape, H, W, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )


# A loop over frames, written from the papers' description


def one_frame(frame: np.ndarray, draw: dict[str, Any], margin: int, fill: tuple[float, ...]) -> np.ndarray:
    """uint8 (H, W, 3) -> float64 (3, H, W); one frame, one step after another."""
    height, width = frame.shape[:2]
    picture = frame[:, ::-1] if draw["mirrored"] else frame
    canvas = np.zeros((height + 2 * margin, width + 2 * margin, 3), np.uint8)
    canvas[margin : margin + height, margin : margin + width] = picture
    top, left = draw["corner"]
    picture = canvas[top : top + height, left : left + width]
    out = np.empty((3, height, width))
    for channel in range(3):
        out[channel] = (picture[:, :, channel] / 255 - IMAGENET_MEAN[channel]) / IMAGENET_STD[channel]
        for y, x, tall, wide in draw["boxes"]:
            out[channel, y : y + tall, x : x + wide] = fill[channel]
    return out


def each(draw: AugmentDraw, index: int) -> dict[str, Any]:
    return {
        "mirrored": bool(draw.mirrored[index]),
        "corner": draw.corner[index].tolist(),
        "boxes": draw.boxes[index].tolist(),
    }


@pytest.mark.parametrize("per_clip", [False, True], ids=["per frame", "per clip"])
@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize("margin", [0, 3, 10])
def test_matches_a_loop_over_frames(per_clip: bool, passes: int, margin: int) -> None:
    frames = clips(8, 4)
    before = frames.clone()
    fill = (0.1, -0.2, 0.3)
    augment = Augment(pad=margin, per_clip=per_clip, erase_passes=passes, erase_fill=fill, seed=5)
    got, erased = augment(frames, epoch=2, step=7)
    draw = augment.draw(8 if per_clip else 32, H, W, torch_generator(5, "pixels", 2, 7))
    for i in range(8):
        for t in range(4):
            drawn = each(draw, i if per_clip else 4 * i + t)
            expected = one_frame(frames[i, t].numpy(), drawn, margin, fill)
            np.testing.assert_allclose(got[i, t].numpy(), expected, atol=2e-6)
            assert bool(erased[i, t]) == (drawn["boxes"][-1][2] > 0)
    assert 0 < erased.float().mean() < 1  # both kinds are in the batch
    assert 0 < draw.mirrored.float().mean() < 1
    assert torch.equal(frames, before)


def test_gives_what_the_network_wants() -> None:
    got, erased = Augment()(clips(2, 3), 0, 0)
    assert got.shape == (2, 3, 3, H, W)
    assert got.dtype == torch.float32
    assert erased.shape == (2, 3)
    assert erased.dtype == torch.bool
    assert got.flatten(0, 1).is_contiguous(memory_format=torch.channels_last)


def test_a_clip_is_treated_alike_on_request() -> None:
    frames = clips(6, 1).expand(6, 4, H, W, 3).contiguous()
    alike, erased = Augment(per_clip=True)(frames, 0, 0)
    assert all(torch.equal(alike[:, 0], alike[:, t]) for t in range(1, 4))
    assert torch.equal(erased, erased[:, :1].expand(6, 4))
    single, _ = Augment()(frames, 0, 0)
    assert not torch.equal(single[:, 0], single[:, 1])


def test_seed_epoch_and_step_decide_and_nothing_else() -> None:
    frames = clips(4, 4)
    first = Augment(seed=1)(frames, 3, 5)[0]
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert torch.equal(Augment(seed=1)(frames, 3, 5)[0], first)
    assert torch.equal(torch.get_rng_state(), state)
    others = [Augment(seed=2)(frames, 3, 5), Augment(seed=1)(frames, 5, 3), Augment(seed=1)(frames, 3, 6)]
    assert not any(torch.equal(other[0], first) for other in others)


# What is drawn


def released_box(height: int, width: int, attempts: int) -> tuple[int, int, int, int] | None:
    """Random erasing as the paper has it: try rectangles until one is smaller than the frame."""
    if random.random() >= 0.5:
        return None
    for _ in range(attempts):
        area = random.uniform(0.02, 0.4) * height * width
        ratio = random.uniform(0.3, 1 / 0.3)
        tall, wide = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if tall < height and wide < width:
            return random.randint(0, height - tall), random.randint(0, width - wide), tall, wide
    return None


@pytest.mark.parametrize("attempts", [1, 10])
def test_boxes_come_as_often_and_as_large_as_in_the_loop(attempts: int) -> None:
    n = 20000
    draw = Augment(erase_attempts=attempts).draw(n, 224, 112, torch.Generator().manual_seed(0))
    first = draw.boxes[:, 0]
    boxes = first[first[:, 2] > 0].numpy()
    loop = np.array([box for box in (released_box(224, 112, attempts) for _ in range(n)) if box])
    assert abs(len(boxes) - len(loop)) < 4 * math.sqrt(n / 2)
    assert (len(boxes) < 0.49 * n) == (attempts == 1)  # with one attempt some are too large
    for column in range(4):
        assert scipy.stats.ks_2samp(boxes[:, column], loop[:, column]).pvalue > 1e-3, column
    assert (boxes[:, 0] + boxes[:, 2] <= 224).all()
    assert (boxes[:, 1] + boxes[:, 3] <= 112).all()
    share = boxes[:, 2] * boxes[:, 3] / (224 * 112)
    assert share.min() > 0.015
    assert share.max() < 0.41


def test_boxes_lie_anywhere_in_the_frame() -> None:
    augment = Augment(erase=1, erase_area=(0.1, 0.1), erase_ratio=(1, 1))
    boxes = augment.draw(20000, 10, 10, torch.Generator().manual_seed(0)).boxes[:, 0]
    assert boxes[:, 2:].unique().tolist() == [3]  # the square root of a tenth of 100
    for axis in range(2):
        counts = torch.bincount(boxes[:, axis], minlength=8)
        assert len(counts) == 8  # 0 to 7
        assert scipy.stats.chisquare(counts.numpy()).pvalue > 1e-3


def test_mirror_and_corner_are_even() -> None:
    draw = Augment(pad=2).draw(20000, H, W, torch.Generator().manual_seed(0))
    assert abs(draw.mirrored.float().mean() - 0.5) < 0.02
    for axis in range(2):
        counts = torch.bincount(draw.corner[:, axis], minlength=5)
        assert len(counts) == 5
        assert scipy.stats.chisquare(counts.numpy()).pvalue > 1e-3
    assert abs(np.corrcoef(draw.corner.numpy().T)[0, 1]) < 0.03
    assert abs(np.corrcoef(draw.mirrored, draw.corner[:, 0])[0, 1]) < 0.03


@pytest.mark.parametrize(("flip", "erase", "expected"), [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.2, 0.2, 0.2)])
def test_probabilities_are_obeyed(flip: float, erase: float, expected: float) -> None:
    draw = Augment(flip=flip, erase=erase).draw(20000, 224, 112, torch.Generator().manual_seed(0))
    assert abs(draw.mirrored.float().mean() - expected) < 0.015
    assert abs((draw.boxes[:, 0, 2] > 0).float().mean() - expected) < 0.015


def test_two_passes_are_drawn_apart_and_the_last_one_is_told_of() -> None:
    augment = Augment(erase_passes=2, flip=0, shift="none", erase_fill=(9, 9, 9))
    draw = augment.draw(4000, H, W, torch.Generator().manual_seed(0))
    first, last = (draw.boxes[:, i, 2] > 0 for i in range(2))
    assert abs((first & last).float().mean() - 0.25) < 0.03
    images, erased = augment(clips(10, 4), 0, 0)
    touched = (images == 9).flatten(2).any(dim=2)
    assert (touched | ~erased).all()  # whatever is flagged is touched
    assert (touched & ~erased).any()  # the first pass touches some that are not flagged


def test_a_frame_of_a_few_pixels_is_erased_by_at_least_one() -> None:
    augment = Augment(erase=1, flip=0, shift="none", erase_fill=(9, 9, 9), erase_area=(1e-4, 1e-4))
    images, erased = augment(clips(5, 2), 0, 0)
    assert erased.all()
    assert ((images[:, :, 0] == 9).flatten(2).sum(2) == 1).all()


# The shift of VPRFT


def pil_translation(frame: np.ndarray, enlarged: bool, corner: list[int], margin: int) -> np.ndarray:
    height, width = frame.shape[:2]
    picture = Image.fromarray(np.pad(frame, ((margin, margin), (margin, margin), (0, 0))))
    if not enlarged:
        return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
    large = picture.resize((round(width * 1.125), round(height * 1.125)), Image.Resampling.BILINEAR)
    top, left = corner
    return np.asarray(large.crop((left, top, left + width, top + height)))


@pytest.mark.parametrize("margin", [0, 10])
def test_translation_is_near_to_that_of_pil(margin: int) -> None:
    height, width = 224, 112
    noise = np.random.default_rng(0).integers(0, 256, (6, 14, 7, 3)).astype(np.uint8)
    frames = np.stack(
        [
            np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
            for small in noise
        ]
    )
    augment = Augment(flip=0, erase=0, shift="translation", pad=margin, mean=(0, 0, 0), std=(1, 1, 1))
    draw = augment.draw(6, height, width, torch.Generator().manual_seed(2))
    got = augment.apply(torch.from_numpy(frames), draw).movedim(1, -1) * 255
    enlarged = (draw.resized[:, 0] > height).tolist()
    assert {True, False} == set(enlarged)
    assert draw.resized.unique().tolist() == [112, 126, 224, 252]
    for i in range(6):
        expected = pil_translation(frames[i], enlarged[i], draw.corner[i].tolist(), margin)
        assert (got[i] - torch.from_numpy(expected.astype(np.float32))).abs().mean() < 1.0


def test_translation_reaches_every_corner() -> None:
    draw = Augment(shift="translation").draw(20000, 16, 8, torch.Generator().manual_seed(0))
    large = draw.resized[:, 0] == 18
    assert abs(large.float().mean() - 0.5) < 0.02
    assert abs(np.corrcoef(large, draw.mirrored)[0, 1]) < 0.03
    assert draw.corner[large].unique(dim=0).tolist() == [[y, x] for y in range(3) for x in range(2)]
    assert not draw.corner[~large].any()


# Errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"shift": "crp"},
            r"unknown shift 'crp'; did you mean 'crop'\? choose one of 'crop', 'translation', 'none'",
        ),
        ({"flip": 1.5}, "flip: expected a probability, got 1.5"),
        ({"erase": -0.1}, "erase: expected a probability, got -0.1"),
        ({"pad": -1}, "pad: .* >= 0, got -1"),
        ({"erase_area": (0.4, 0.02)}, r"erase_area: .*got \(0.4, 0.02\)"),
        ({"erase_area": (0.1, 1.2)}, "erase_area: .*1.2"),
        ({"erase_ratio": (0, 3)}, r"erase_ratio: .*got \(0, 3\)"),
        ({"erase_fill": (0.5,)}, "erase_fill: expected one value a channel"),
        ({"erase_attempts": 0}, "erase_attempts: expected a count >= 1, got 0"),
        ({"erase_passes": 0}, "erase_passes: .*erase 0 turns erasing off.*got 0"),
        ({"std": (1, 0, 1)}, r"deviations > 0, got .*\(1, 0, 1\)"),
    ],
)
def test_says_what_is_wrong(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Augment(**options)


def test_names_the_shape() -> None:
    with pytest.raises(ValueError, match=r"clips \(B, T, H, W, 3\), got shape \(2, 3, 4, 5\)"):
        Augment()(torch.zeros(2, 3, 4, 5, dtype=torch.uint8), 0, 0)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_does_the_same() -> None:
    frames = clips(8, 4)
    for shift in ("crop", "translation"):
        here, erased = Augment(shift=shift)(frames, 1, 2)
        there, flags = Augment(shift=shift)(frames.cuda(), 1, 2)
        torch.testing.assert_close(there.cpu(), here, atol=1e-4, rtol=0)
        assert torch.equal(flags.cpu(), erased)


@pytest.mark.parametrize("per_clip", [False, True])
def test_ranks_change_a_clip_as_one_rank_does(per_clip: bool) -> None:
    frames, augment = clips(4, 3), Augment(seed=6, per_clip=per_clip)
    whole, erased = augment(frames, 2, 5)
    assert erased.any()
    for rank in range(2):
        job = Job(rank, 2)
        part, told = augment(frames[job.part(4)], 2, 5, job)
        assert torch.equal(part, whole[job.part(4)])
        assert torch.equal(told, erased)
