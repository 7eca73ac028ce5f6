"""Augmentation of decoded frames, in batches on the device of the frames.

    uint8 (B, T, H, W, 3) -> mirror -> pad -> crop -> normalise -> erase -> float32 (B, T, 3, H, W)

This is the order of the papers. The random parameters of each frame are drawn on the CPU, so that they are the same
on every device, and then applied to all frames at once (see :mod:`reidar_plugin.data.pixel_ops`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from reidar_plugin.data import pixel_ops
from reidar_plugin.data.pixel_ops import IMAGENET_MEAN, IMAGENET_STD, Normalise
from reidar_plugin.data.seeding import torch_generator
from reidar_plugin.errors import ConfigError, nearest
from reidar_plugin.ranks.job import ALONE, Job

__all__ = ["SHIFTS", "Augment", "AugmentDraw"]

#: Ways to move a person within the frame.
SHIFTS = ("crop", "translation", "none")

_ENLARGED = 1.125  # as in torchreid's Random2DTranslation, which VPRFT uses


class AugmentDraw(NamedTuple):
    """Random parameters of the augmentation of N frames, on the CPU."""

    mirrored: Tensor  #: bool ``(N,)``, whether left and right are swapped
    resized: Tensor  #: int64 ``(N, 2)``, height and width before the crop; used by ``translation`` only
    corner: Tensor  #: int64 ``(N, 2)``, top and left of the crop
    boxes: (
        Tensor  #: int64 ``(N, P, 4)``, top, left, height, width in each erasing pass; height 0 erases nothing
    )

    def repeated(self, times: int) -> "AugmentDraw":
        """Repeat the parameters of each frame for ``times`` consecutive frames."""
        return AugmentDraw(*(field.repeat_interleave(times, dim=0) for field in self))

    def part(self, job: Job) -> "AugmentDraw":
        """The parameters of the frames of a rank."""
        return AugmentDraw(*(field[job.part(len(field))] for field in self))


class Augment:
    """Random mirroring, shift and erasing, for each frame on its own or for all frames of a clip alike.

    Args:
        flip: probability to swap left and right.
        shift: ``crop`` pads with black and crops (Re-ID-AR, S2DN, AGW); ``translation`` pads, then with
            probability 1/2 enlarges by 1.125 and crops, else resizes back (VPRFT; with ``pad=0`` it is
            torchreid's ``random_crop``); ``none`` leaves the person in place.
        pad: number of black pixels added on each side.
        erase: probability that an erasing pass erases a rectangle.
        erase_area: smallest and largest area of the rectangle, as a share of the frame.
        erase_ratio: smallest and largest ratio of its height to its width, drawn uniformly.
        erase_fill: value of each channel in the rectangle, *after* normalisation. The default is that of the
            released Re-ID-AR and VPRFT; zeros are the mean colour, which the paper on erasing means.
        erase_attempts: number of rectangles tried until one is smaller than the frame; released Re-ID-AR: 1.
        erase_passes: number of erasing passes; VPRFT: 2. The returned flag is that of the last pass.
        per_clip: use the same parameters for all frames of a clip.
        mean: mean of each channel, see :class:`Normalise`.
        std: standard deviation of each channel.
        seed: seed of the run.

    Raises:
        ConfigError: a value is out of range; the message names it.

    Example:
        >>> frames = torch.zeros(2, 4, 16, 8, 3, dtype=torch.uint8)
        >>> images, erased = Augment(seed=1)(frames, epoch=0, step=0)
        >>> images.shape, erased.shape
        (torch.Size([2, 4, 3, 16, 8]), torch.Size([2, 4]))
    """

    def __init__(
        self,
        *,
        flip: float = 0.5,
        shift: str = "crop",
        pad: int = 10,
        erase: float = 0.5,
        erase_area: Sequence[float] = (0.02, 0.4),
        erase_ratio: Sequence[float] = (0.3, 1 / 0.3),
        erase_fill: Sequence[float] = IMAGENET_MEAN,
        erase_attempts: int = 10,
        erase_passes: int = 1,
        per_clip: bool = False,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        seed: int = 0,
    ) -> None:
        if shift not in SHIFTS:
            names = ", ".join(map(repr, SHIFTS))
            raise ConfigError(f"unknown shift {shift!r};{nearest(shift, SHIFTS)} choose one of {names}")
        _check("flip", flip, 0 <= flip <= 1, "a probability")
        _check("erase", erase, 0 <= erase <= 1, "a probability")
        _check("pad", pad, pad >= 0, "a number of pixels >= 0")
        _check(
            "erase_area", erase_area, _is_range(erase_area, most=1), "two shares in (0, 1], the least first"
        )
        _check("erase_ratio", erase_ratio, _is_range(erase_ratio), "two ratios > 0, the least first")
        _check("erase_fill", erase_fill, len(erase_fill) == 3, "one value a channel")
        _check("erase_attempts", erase_attempts, erase_attempts >= 1, "a count >= 1")
        _check("erase_passes", erase_passes, erase_passes >= 1, "a count >= 1 (erase 0 turns erasing off)")
        self.flip, self.shift, self.pad = flip, shift, pad
        self.erase, self.erase_area, self.erase_ratio = erase, tuple(erase_area), tuple(erase_ratio)
        self.erase_fill = torch.tensor(tuple(erase_fill), dtype=torch.float32)
        self.erase_attempts, self.erase_passes = erase_attempts, erase_passes
        self.per_clip, self.seed = per_clip, seed
        self.normalise = Normalise(mean, std)

    def __call__(self, frames: Tensor, epoch: int, step: int, job: Job = ALONE) -> tuple[Tensor, Tensor]:
        """Augment a batch; equal seed, epoch and step give equal results.

        Args:
            frames: uint8 ``(B, T, H, W, 3)``, not modified; of several ranks the part of this one.
            epoch: index of the epoch, from 0.
            step: index of the batch in the epoch, from 0.
            job: the rank whose part the frames are.

        Returns:
            Normalised images, float32 ``(B, T, 3, H, W)``, and the frames that the last erasing pass erased, bool
            ``(B, T)``, of all ranks: whatever their number, a clip is changed alike.
        """
        if frames.ndim != 5 or frames.shape[-1] != 3:
            raise ValueError(f"expected clips (B, T, H, W, 3), got shape {tuple(frames.shape)}")
        length, height, width = frames.shape[1:4]
        clips = len(frames) * job.size
        generator = torch_generator(self.seed, "pixels", epoch, step)
        draw = self.draw(clips if self.per_clip else clips * length, height, width, generator)
        if self.per_clip:
            draw = draw.repeated(length)
        images = self.apply(frames.flatten(0, 1), draw.part(job))
        erased = pixel_ops.to_device_of(frames, draw.boxes[:, -1, 2] > 0)
        return images.unflatten(0, (len(frames), length)), erased.unflatten(0, (clips, length))

    def draw(self, n: int, height: int, width: int, generator: torch.Generator) -> AugmentDraw:
        """Draw the parameters for ``n`` frames of that size."""
        uniform = torch.rand(4, n, generator=generator, dtype=torch.float64)
        resized, slack = self._resized(uniform[1] < 0.5, height, width)
        corner = (uniform[2:].T * (slack + 1)).long()  # uniform over 0 to slack
        boxes = [self._boxes(n, height, width, generator) for _ in range(self.erase_passes)]
        return AugmentDraw(uniform[0] < self.flip, resized, corner, torch.stack(boxes, dim=1))

    def apply(self, frames: Tensor, draw: AugmentDraw) -> Tensor:
        """Apply drawn parameters to frames ``(N, H, W, 3)``; returns ``(N, 3, H, W)``, channels_last in memory."""
        height, width = frames.shape[1:3]
        moved = pixel_ops.mirror(frames, draw.mirrored)
        if self.shift == "crop":
            moved = pixel_ops.crop(pixel_ops.pad(moved, self.pad), draw.corner, height, width)
        elif self.shift == "translation":
            moved = pixel_ops.translate(
                pixel_ops.pad(moved, self.pad), draw.resized, draw.corner, height, width
            )
        images = self.normalise(moved)
        for boxes in draw.boxes.unbind(1):
            pixel_ops.erase(images, boxes, self.erase_fill)
        return images

    def _resized(self, enlarge: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Sizes before the crop, and the largest offset of its corner from the first pixel; ``(N, 2)`` each."""
        size = torch.tensor([height, width])
        if self.shift == "translation":
            resized = torch.where(enlarge[:, None], (size * _ENLARGED).round().long(), size)
            return resized, resized - size
        resized = (size + 2 * self.pad * (self.shift == "crop")).expand(len(enlarge), 2)
        return resized, resized - size

    def _boxes(self, n: int, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Rectangles ``(N, 4)`` of one erasing pass; the first of several attempts that fits."""
        area, ratio = torch.rand(2, n, self.erase_attempts, generator=generator, dtype=torch.float64)
        top, left, erase = torch.rand(3, n, generator=generator, dtype=torch.float64)
        area = _between(area, self.erase_area) * (height * width)
        ratio = _between(ratio, self.erase_ratio)
        tall, wide = (area * ratio).sqrt().round().clamp(min=1), (area / ratio).sqrt().round().clamp(min=1)
        fits = (tall < height) & (wide < width)  # (N, attempts)
        first = fits.int().argmax(dim=1, keepdim=True)
        tall, wide = tall.gather(1, first)[:, 0], wide.gather(1, first)[:, 0]
        top, left = (top * (height - tall + 1)).floor(), (left * (width - wide + 1)).floor()
        chosen = (erase < self.erase) & fits.any(dim=1)
        return torch.stack([top, left, tall, wide], dim=1).where(chosen[:, None], torch.zeros(())).long()


def _between(uniform: Tensor, limits: tuple[float, ...]) -> Tensor:
    return limits[0] + uniform * (limits[1] - limits[0])


def _is_range(limits: Sequence[float], most: float = float("inf")) -> bool:
    return len(limits) == 2 and 0 < limits[0] <= limits[1] <= most


def _check(name: str, value: object, holds: bool, expected: str) -> None:
    if not holds:
        raise ConfigError(f"{name}: expected {expected}, got {value!r}")
