"""What can be done to N frames at once, each with numbers of its own; no chance in here.

Frames stay in rows of RGB, ``(N, H, W, 3)``, on the device where they are.
Only :func:`erase` writes into its input.
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
    "beside",
    "crop",
    "erase",
    "mirror",
    "pad",
    "translate",
]

#: Mean and standard deviation of each channel of ImageNet, which the papers normalise by.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Normalise:
    """``(x / 255 - mean) / std``: all that is done to a frame at test.

    Args:
        mean: of each channel, of values in 0 to 1.
        std: of each channel, > 0.
    """

    def __init__(self, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD) -> None:
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ConfigError(f"expected three means and three deviations > 0, got {mean!r} and {std!r}")
        self.scale = torch.tensor([1.0 / (255.0 * s) for s in std])
        self.offset = torch.tensor([-m / s for m, s in zip(mean, std, strict=True)])

    def __call__(self, frames: Tensor) -> Tensor:
        """``(..., H, W, 3)`` of 0 to 255 -> float32 ``(..., 3, H, W)``, channels_last in memory."""
        if frames.ndim < 3 or frames.shape[-1] != 3:
            raise ValueError(f"expected frames (..., H, W, 3), got shape {tuple(frames.shape)}")
        width = frames.shape[-2]
        rows = frames.flatten(-2).to(torch.float32, copy=True)  # (..., H, 3 W): one long run of numbers a row
        scale, offset = (beside(frames, values).repeat(width) for values in (self.scale, self.offset))
        return rows.mul_(scale).add_(offset).unflatten(-1, (width, 3)).movedim(-1, -3)


def beside(frames: Tensor, numbers: Tensor) -> Tensor:
    """A few numbers on the device of the frames; a GPU does not finish its work before it takes them."""
    return numbers.to(frames.device, non_blocking=True)


def pad(frames: Tensor, margin: int) -> Tensor:
    """Black around every frame: ``(N, H, W, 3)`` -> ``(N, H + 2 margin, W + 2 margin, 3)``, always a copy."""
    return F.pad(frames, (0, 0, margin, margin, margin, margin)) if margin else frames.clone()


def mirror(frames: Tensor, chosen: Tensor) -> Tensor:
    """Left becomes right in the frames that ``chosen`` ``(N,)`` (bool, on the CPU: no device waits) marks."""
    places = beside(frames, chosen.nonzero().flatten())
    return frames.index_copy(0, places, frames.index_select(0, places).flip(2))


def crop(frames: Tensor, corner: Tensor, height: int, width: int) -> Tensor:
    """Cut ``height x width`` out of each frame.

    Args:
        frames: ``(N, h, w, 3)``.
        corner: int64 ``(N, 2)``, top and left.
        height: of the result, at most h.
        width: of the result, at most w.

    Returns:
        ``(N, height, width, 3)``.
    """
    top, left = beside(frames, corner).unbind(1)
    windows = frames.unfold(1, height, 1).unfold(2, width, 1)  # (N, tops, lefts, 3, height, width), a view
    frame = torch.arange(len(frames), device=frames.device)
    return windows.permute(0, 1, 2, 4, 5, 3)[frame, top, left]


def translate(frames: Tensor, enlarged: Tensor, corner: Tensor, height: int, width: int) -> Tensor:
    """Resize each frame to a size of its own and cut ``height x width`` out, in one bilinear sampling.

    Args:
        frames: ``(N, h, w, 3)``.
        enlarged: int64 ``(N, 2)``, height and width that each frame is resized to.
        corner: int64 ``(N, 2)``, top and left in the resized frame.
        height: of the result.
        width: of the result.

    Returns:
        float32 ``(N, height, width, 3)``, not rounded.
    """
    size, start = beside(frames, enlarged), beside(frames, corner)
    rows, columns = (
        (torch.arange(extent, device=frames.device) + start[:, axis, None] + 0.5) / size[:, axis, None] * 2
        - 1
        for axis, extent in enumerate((height, width))
    )  # (N, height), (N, width): centres of pixels, -1 and 1 are the edges of the frame
    grid = torch.stack(torch.broadcast_tensors(columns[:, None, :], rows[:, :, None]), dim=-1)
    picture = frames.float().movedim(-1, 1)
    sampled = F.grid_sample(picture, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return sampled.movedim(1, -1).contiguous()


def erase(pixels: Tensor, boxes: Tensor, fill: Tensor) -> Tensor:
    """Blank a rectangle of each frame, in place, and return the frames.

    Args:
        pixels: float ``(N, 3, H, W)``, a view of rows of RGB as :class:`Normalise` gives it; it is changed.
        boxes: int64 ``(N, 4)``, top, left, height, width; height 0 leaves the frame as it is.
        fill: value of each channel, ``(3,)``.
    """
    height, width = pixels.shape[-2:]
    top, left, tall, wide = beside(pixels, boxes)[:, :, None].unbind(1)  # (N, 1) each
    row, column = (torch.arange(extent, device=pixels.device) for extent in (height, width))
    in_rows = (row >= top) & (row < top + tall)  # (N, H)
    in_columns = ((column >= left) & (column < left + wide)).repeat_interleave(3, dim=1)  # (N, 3 W)
    blank = in_rows[:, :, None] & in_columns[:, None, :]
    rows = pixels.movedim(1, -1).view(len(pixels), height, 3 * width)  # a view, else an error
    torch.where(blank, beside(pixels, fill).repeat(width), rows, out=rows)
    return pixels
