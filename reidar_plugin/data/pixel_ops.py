"""Deterministic operations on N frames at once, each with its own parameters.

Frames are ``(N, H, W, 3)`` and stay on their device. Only :func:`erase` modifies its input.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from reidar_plugin.errors import ConfigError

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "Normalise",
    "crop",
    "erase",
    "mirror",
    "pad",
    "to_device_of",
    "translate",
]

#: Mean and standard deviation of each channel of ImageNet, used by the papers.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Normalise:
    """Normalise frames by ``(x / 255 - mean) / std``, the only operation at test.

    Args:
        mean: mean of each channel, for values from 0 to 1.
        std: standard deviation of each channel, > 0.

    Example:
        >>> Normalise(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))(torch.tensor([[[0, 255, 255]]])).flatten()
        tensor([-1.,  1.,  1.])
    """

    def __init__(self, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD) -> None:
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ConfigError(f"expected three means and three deviations > 0, got {mean!r} and {std!r}")
        self.scale = torch.tensor([1.0 / (255.0 * s) for s in std])
        self.offset = torch.tensor([-m / s for m, s in zip(mean, std, strict=True)])

    def __call__(self, frames: Tensor) -> Tensor:
        """Frames ``(..., H, W, 3)`` of 0 to 255 -> float32 ``(..., 3, H, W)``, channels_last in memory."""
        if frames.ndim < 3 or frames.shape[-1] != 3:
            raise ValueError(f"expected frames (..., H, W, 3), got shape {tuple(frames.shape)}")
        width = frames.shape[-2]
        rows = frames.flatten(-2).to(torch.float32, copy=True)  # (..., H, 3 W): long rows are faster
        scale, offset = (to_device_of(frames, values).repeat(width) for values in (self.scale, self.offset))
        return rows.mul_(scale).add_(offset).unflatten(-1, (width, 3)).movedim(-1, -3)


def to_device_of(frames: Tensor, numbers: Tensor) -> Tensor:
    """Copy a few numbers to the device of the frames without waiting for it."""
    return numbers.to(frames.device, non_blocking=True)


def pad(frames: Tensor, margin: int) -> Tensor:
    """Add a black margin to each frame: ``(N, H, W, 3) -> (N, H + 2 margin, W + 2 margin, 3)``, always a copy."""
    return F.pad(frames, (0, 0, margin, margin, margin, margin)) if margin else frames.clone()


def mirror(frames: Tensor, chosen: Tensor) -> Tensor:
    """Swap left and right in the frames that the mask ``chosen`` selects, bool ``(N,)`` on the CPU."""
    indices = to_device_of(frames, chosen.nonzero().flatten())
    return frames.index_copy(0, indices, frames.index_select(0, indices).flip(2))


def crop(frames: Tensor, corner: Tensor, height: int, width: int) -> Tensor:
    """Crop a window of the same size from each frame.

    Args:
        frames: frames ``(N, h, w, 3)``.
        corner: top and left of each window, int64 ``(N, 2)``.
        height: height of the windows, at most h.
        width: width of the windows, at most w.

    Returns:
        ``(N, height, width, 3)``.
    """
    top, left = to_device_of(frames, corner).unbind(1)
    windows = frames.unfold(1, height, 1).unfold(2, width, 1)  # (N, tops, lefts, 3, height, width), a view
    frame = torch.arange(len(frames), device=frames.device)
    return windows.permute(0, 1, 2, 4, 5, 3)[frame, top, left]


def translate(frames: Tensor, enlarged: Tensor, corner: Tensor, height: int, width: int) -> Tensor:
    """Resize each frame to its own size and crop a window from it, in one bilinear sampling.

    Args:
        frames: frames ``(N, h, w, 3)``.
        enlarged: height and width to which each frame is resized, int64 ``(N, 2)``.
        corner: top and left of each window in the resized frame, int64 ``(N, 2)``.
        height: height of the windows.
        width: width of the windows.

    Returns:
        float32 ``(N, height, width, 3)``, not rounded.
    """
    size, start = to_device_of(frames, enlarged), to_device_of(frames, corner)
    # pixel centres, where -1 and 1 are the edges of the frame
    rows, columns = (
        (torch.arange(extent, device=frames.device) + start[:, axis, None] + 0.5) / size[:, axis, None] * 2
        - 1
        for axis, extent in enumerate((height, width))
    )  # (N, height), (N, width)
    grid = torch.stack(torch.broadcast_tensors(columns[:, None, :], rows[:, :, None]), dim=-1)
    picture = frames.float().movedim(-1, 1)
    sampled = F.grid_sample(picture, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return sampled.movedim(1, -1).contiguous()


def erase(pixels: Tensor, boxes: Tensor, fill: Tensor) -> Tensor:
    """Fill a rectangle of each frame, in place.

    Args:
        pixels: images ``(N, 3, H, W)``, channels_last in memory as :class:`Normalise` returns them; modified.
        boxes: top, left, height and width of each rectangle, int64 ``(N, 4)``; height 0 leaves a frame unchanged.
        fill: value of each channel, ``(3,)``.

    Returns:
        ``pixels``.
    """
    height, width = pixels.shape[-2:]
    top, left, tall, wide = to_device_of(pixels, boxes)[:, :, None].unbind(1)  # (N, 1) each
    row, column = (torch.arange(extent, device=pixels.device) for extent in (height, width))
    in_rows = (row >= top) & (row < top + tall)  # (N, H)
    in_columns = ((column >= left) & (column < left + wide)).repeat_interleave(3, dim=1)  # (N, 3 W)
    blank = in_rows[:, :, None] & in_columns[:, None, :]
    rows = pixels.movedim(1, -1).view(len(pixels), height, 3 * width)  # a view, else an error
    torch.where(blank, to_device_of(pixels, fill).repeat(width), rows, out=rows)
    return pixels
