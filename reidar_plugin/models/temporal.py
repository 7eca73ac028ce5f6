r"""From the feature maps of the T frames of a clip to one feature of the clip.

Every pooling takes ``(B, T, C, H, W)`` and returns :class:`Pooled`: the feature, the scores of the frames
before the softmax, and their weights after it. The papers' is ``attention``; the others cost fewer parameters
or none.

========= ======================================================================= ==================
name      clip feature                                                            parameters
========= ======================================================================= ==================
attention weighted mean over time; a score reads the whole map of its frame       C x 256 x H x W
light     weighted mean over time; a score reads the mean of its frame            C x 256
mean      mean over time and space                                                none
max       largest over time of the means over space                               none
gem       generalised mean over time and space                                    1
========= ======================================================================= ==================
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.errors import ConfigError, nearest

__all__ = [
    "POOLINGS",
    "FrameAttention",
    "GeneralisedMean",
    "LightAttention",
    "MaxPooling",
    "MeanPooling",
    "Pooled",
    "SpatialTemporalAttention",
    "build_pooling",
]


class Pooled(NamedTuple):
    """A clip after temporal pooling; all in float32 or better, also under autocast."""

    pooled: Tensor  #: ``(B, C)``
    scores: Tensor  #: ``(B, T)`` before the softmax; ones where the pooling has none
    attention: Tensor  #: ``(B, T)`` weights of the frames, sum 1


class FrameAttention(nn.Module):
    r"""Weighted mean over time of the frames' spatial means: what both kinds of attention share.

    .. math::
        a = \mathrm{softmax}_t(s), \qquad s_t = \max(0, (k * h)_t), \qquad f = \sum_t a_t\,\mathrm{GAP}(F_t)

    with a temporal convolution :math:`k` of three frames over :math:`h_t`, what :meth:`describe` says of
    frame t.

    Reference: Pathak et al., Video Person Re-ID: Fantastic Techniques and Where to Find Them, AAAI 2020
    (after Gao and Nevatia 2018), taken over by Re-ID-AR. The scores pass a ReLU before the softmax, as there; where
    it cuts all scores of a clip, attention is even and learns nothing from that clip, and it can stay so.

    Args:
        width: channels of :math:`h`.
        rectified: with that ReLU; without it :math:`s_t = (k * h)_t`.
    """

    def __init__(self, width: int, rectified: bool = True) -> None:
        super().__init__()
        self.rectified = rectified
        self.tconv = nn.Conv1d(width, 1, kernel_size=3, padding=1)
        _initialise(self.tconv)

    def describe(self, maps: Tensor, means: Tensor) -> Tensor:
        """Maps ``(B, T, C, H, W)`` and their means ``(B, T, C)`` -> ``(B, T, width)``."""
        raise NotImplementedError

    def forward(self, maps: Tensor) -> Pooled:
        means = spatial_mean(maps)
        hidden = F.relu(self.describe(maps, means))
        with torch.autocast(maps.device.type, enabled=False):  # the softmax and what feeds it stay in float32
            hidden = hidden.to(self.tconv.weight.dtype)
            scores = self.tconv(hidden.transpose(1, 2)).squeeze(1)  # (B, T)
            scores = F.relu(scores) if self.rectified else scores
            attention = scores.softmax(dim=1)
            pooled = torch.einsum("bt,btc->bc", attention.to(means.dtype), means)
        return Pooled(pooled, scores, attention)


class SpatialTemporalAttention(FrameAttention):
    """The papers' attention: a convolution over the whole map (14 x 7 at 224 x 112), then over time.

    Args:
        channels: C of the maps.
        size: height and width of the maps; maps of another size are refused.
        width: output channels of that convolution.
        rectified: see :class:`FrameAttention`.
    """

    def __init__(
        self, channels: int, size: tuple[int, int], width: int = 256, rectified: bool = True
    ) -> None:
        super().__init__(width, rectified)
        self.conv = nn.Conv2d(channels, width, kernel_size=size)
        _initialise(self.conv)

    def describe(self, maps: Tensor, means: Tensor) -> Tensor:
        # One output pixel: the convolution is a matrix product, and no algorithm for sliding windows is searched.
        # Both sides are laid out as the kernel lies in memory, so that it is not copied.
        kernel = self.conv.weight
        if not kernel.is_contiguous():  # channels_last
            kernel, maps = kernel.permute(0, 2, 3, 1), maps.permute(0, 1, 3, 4, 2)
        return F.linear(maps.flatten(2), kernel.flatten(1), self.conv.bias)


class LightAttention(FrameAttention):
    """Attention that reads each frame's spatial mean: 1 / (H W) of the parameters, and any size of frames."""

    def __init__(self, channels: int, width: int = 256, rectified: bool = True) -> None:
        super().__init__(width, rectified)
        self.linear = nn.Linear(channels, width)
        _initialise(self.linear)

    def describe(self, maps: Tensor, means: Tensor) -> Tensor:
        with torch.autocast(maps.device.type, enabled=False):
            return self.linear(means.to(self.linear.weight.dtype))


class MeanPooling(nn.Module):
    """Mean over time and space."""

    def forward(self, maps: Tensor) -> Pooled:
        return _without_scores(spatial_mean(maps).mean(dim=1), maps)


class MaxPooling(nn.Module):
    """Largest value over time of each frame's spatial mean, as the host's ``pooling_method: max``."""

    def forward(self, maps: Tensor) -> Pooled:
        return _without_scores(spatial_mean(maps).amax(dim=1), maps)


class GeneralisedMean(nn.Module):
    r"""Generalised mean over time and space with a learnable exponent.

    .. math::
        f = \Bigl(\frac{1}{T H W} \sum \max(x, \epsilon)^p\Bigr)^{1/p}

    Reference: Ye et al., Deep Learning for Person Re-identification: A Survey and Outlook (AGW), p = 3 at the
    start.
    """

    def __init__(self, exponent: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor([exponent]))
        self.eps = eps

    def forward(self, maps: Tensor) -> Pooled:
        with torch.autocast(maps.device.type, enabled=False):
            powers = _wide(maps).clamp(min=self.eps).pow(self.p)
            return _without_scores(powers.mean(dim=(1, 3, 4)).pow(1 / self.p), maps)


def spatial_mean(maps: Tensor) -> Tensor:
    """``(B, T, C, H, W) -> (B, T, C)`` in float32 or better."""
    return maps.mean(dim=(3, 4), dtype=torch.promote_types(maps.dtype, torch.float32))


#: name -> (channels, height and width of the maps, width of the attention, its ReLU) -> module
POOLINGS: dict[str, Callable[[int, tuple[int, int], int, bool], nn.Module]] = {
    "attention": SpatialTemporalAttention,
    "light": lambda channels, size, width, rectified: LightAttention(channels, width, rectified),
    "mean": lambda channels, size, width, rectified: MeanPooling(),
    "max": lambda channels, size, width, rectified: MaxPooling(),
    "gem": lambda channels, size, width, rectified: GeneralisedMean(),
}


def build_pooling(
    name: str, *, channels: int, size: tuple[int, int], width: int = 256, rectified: bool = True
) -> nn.Module:
    """A temporal pooling by name, one of :data:`POOLINGS`."""
    if name not in POOLINGS:
        raise ConfigError(
            f"unknown pooling {name!r}; choose one of {sorted(POOLINGS)}{nearest(name, POOLINGS)}"
        )
    return POOLINGS[name](channels, size, width, rectified)


def _initialise(layer: nn.Conv1d | nn.Conv2d | nn.Linear) -> None:
    """He initialisation by the fan-in, as the papers' code does for its attention."""
    nn.init.kaiming_normal_(layer.weight, a=0, mode="fan_in")
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def _wide(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _without_scores(pooled: Tensor, maps: Tensor) -> Pooled:
    scores = pooled.new_ones(maps.shape[:2])
    return Pooled(pooled, scores, scores / maps.shape[1])
