r"""Temporal pooling: from the feature maps of the T frames of a clip to one clip feature.

Each pooling takes ``(B, T, C, H, W)`` and returns :class:`Pooled`: the feature, the scores of the frames before the
softmax, and their weights after it. The papers use ``attention``; the others have fewer parameters or none.

========= ======================================================================= ==================
name      clip feature                                                            parameters
========= ======================================================================= ==================
attention weighted mean over time; each score is computed from the whole map      C x 256 x H x W
light     weighted mean over time; each score is computed from the mean of a map  C x 256
mean      mean over time and space                                                none
max       largest over time of the means over space                               none
gem       generalised mean over time and space                                    1
peak      mean over time of the maxima over space                                 none
========= ======================================================================= ==================
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.errors import ConfigError, nearest
from reidar_plugin.models.full_precision import full_precision

__all__ = [
    "POOLINGS",
    "BranchPooling",
    "FrameAttention",
    "GeneralisedMean",
    "LightAttention",
    "MaxPooling",
    "MeanPooling",
    "PeakPooling",
    "Pooled",
    "SpatialTemporalAttention",
    "build_pooling",
]


class Pooled(NamedTuple):
    """A clip after temporal pooling; at least float32, also under autocast."""

    pooled: Tensor  #: clip feature ``(B, C)``
    scores: Tensor  #: scores ``(B, T)`` of the frames before the softmax; ones if the pooling has none
    attention: Tensor  #: weights ``(B, T)`` of the frames, with sum 1


class FrameAttention(nn.Module):
    r"""Base of both kinds of attention: the weighted mean over time of the spatial means of frames.

    .. math::
        a = \mathrm{softmax}_t(s), \qquad s_t = \max(0, (k * h)_t), \qquad f = \sum_t a_t\,\mathrm{GAP}(F_t)

    with a temporal convolution :math:`k` of three frames over :math:`h_t`, the description of frame t from
    :meth:`describe`.

    Reference: Pathak et al., Video Person Re-ID: Fantastic Techniques and Where to Find Them, AAAI 2020
    (after Gao and Nevatia 2018), adopted by Re-ID-AR. As in that code, a ReLU is applied to the scores. Where it
    sets all scores of a clip to 0, the attention is uniform and gets no gradient from that clip, and may stay so.

    Args:
        width: number of channels of :math:`h`.
        rectified: apply the ReLU; without it :math:`s_t = (k * h)_t`.
    """

    def __init__(self, width: int, rectified: bool = True) -> None:
        super().__init__()
        self.rectified = rectified
        self.tconv = nn.Conv1d(width, 1, kernel_size=3, padding=1)
        _initialise(self.tconv)

    def describe(self, maps: Tensor, means: Tensor) -> Tensor:
        """Describe frames by their maps ``(B, T, C, H, W)`` and means ``(B, T, C)``: ``(B, T, width)``."""
        raise NotImplementedError

    def forward(self, maps: Tensor) -> Pooled:
        means = spatial_mean(maps)
        hidden = F.relu(self.describe(maps, means))
        with full_precision(maps):  # the softmax and its input stay in float32
            hidden = hidden.to(self.tconv.weight.dtype)
            scores = self.tconv(hidden.transpose(1, 2)).squeeze(1)  # (B, T)
            scores = F.relu(scores) if self.rectified else scores
            attention = scores.softmax(dim=1)
            pooled = torch.einsum("bt,btc->bc", attention.to(means.dtype), means)
        return Pooled(pooled, scores, attention)


class SpatialTemporalAttention(FrameAttention):
    """The attention of the papers: a convolution over the whole map (14 x 7 at 224 x 112), then one over time.

    Args:
        channels: number C of channels of the maps.
        size: height and width of the maps; maps of another size are an error.
        width: number of output channels of the convolution over the map.
        rectified: see :class:`FrameAttention`.
    """

    def __init__(
        self, channels: int, size: tuple[int, int], width: int = 256, rectified: bool = True
    ) -> None:
        super().__init__(width, rectified)
        self.conv = nn.Conv2d(channels, width, kernel_size=size)
        _initialise(self.conv)

    def describe(self, maps: Tensor, means: Tensor) -> Tensor:
        # With one output pixel the convolution is a matrix product, which skips the search for a convolution algorithm.
        # Both factors use the memory layout of the kernel, so that the kernel is not copied.
        kernel = self.conv.weight
        if not kernel.is_contiguous():  # channels_last
            kernel, maps = kernel.permute(0, 2, 3, 1), maps.permute(0, 1, 3, 4, 2)
        return F.linear(maps.flatten(2), kernel.flatten(1), self.conv.bias)


class LightAttention(FrameAttention):
    """Attention from the spatial mean of each frame: 1 / (H W) of the parameters, and frames of any size.

    Args:
        channels: number C of channels of the maps.
        width: number of output channels of the linear layer.
        rectified: see :class:`FrameAttention`.
    """

    def __init__(self, channels: int, width: int = 256, rectified: bool = True) -> None:
        super().__init__(width, rectified)
        self.linear = nn.Linear(channels, width)
        _initialise(self.linear)

    def describe(self, maps: Tensor, means: Tensor) -> Tensor:
        with full_precision(maps):
            return self.linear(means.to(self.linear.weight.dtype))


class MeanPooling(nn.Module):
    """Mean over time and space."""

    def forward(self, maps: Tensor) -> Pooled:
        return _without_scores(spatial_mean(maps).mean(dim=1), maps)


class MaxPooling(nn.Module):
    """Maximum over time of the spatial means of frames, like the host's ``pooling_method: max``."""

    def forward(self, maps: Tensor) -> Pooled:
        return _without_scores(spatial_mean(maps).amax(dim=1), maps)


class PeakPooling(nn.Module):
    """Mean over time of the largest of each map, the pooling of AP3D and TCLNet."""

    def forward(self, maps: Tensor) -> Pooled:
        return _without_scores(_wide(maps.amax(dim=(3, 4))).mean(dim=1), maps)


class GeneralisedMean(nn.Module):
    r"""Generalised mean over time and space with a learnable exponent.

    .. math::
        f = \Bigl(\frac{1}{T H W} \sum \max(x, \epsilon)^p\Bigr)^{1/p}

    Reference: Ye et al., Deep Learning for Person Re-identification: A Survey and Outlook (AGW).

    Args:
        exponent: initial value of p, which is learned.
        eps: lower bound of the values, > 0.
    """

    def __init__(self, exponent: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor([exponent]))
        self.eps = eps

    def forward(self, maps: Tensor) -> Pooled:
        with full_precision(maps):
            powers = _wide(maps).clamp(min=self.eps).pow(self.p)
            return _without_scores(powers.mean(dim=(1, 3, 4)).pow(1 / self.p), maps)


class BranchPooling(nn.Module):
    """Pools the frames of each branch apart; their features lie side by side: ``(B, T, C, h, w)`` -> pooled ``(B, P C)``.

    The attention of a frame is that inside its branch over P, so that it still sums to 1.

    Args:
        pooling: what pools ``(B P, T / P, C, h, w)``.
        branches: P; frames p, p + P, ... are of branch p, and T is a multiple of P.
    """

    def __init__(self, pooling: nn.Module, branches: int) -> None:
        super().__init__()
        self.pooling, self.branches = pooling, branches

    def forward(self, maps: Tensor) -> Pooled:
        apart = maps.unflatten(1, (-1, self.branches)).transpose(1, 2).flatten(0, 1)
        pooled, scores, attention = self.pooling(apart)
        pooled = pooled.unflatten(0, (-1, self.branches)).flatten(1)
        return Pooled(pooled, self._together(scores), self._together(attention) / self.branches)

    def _together(self, values: Tensor) -> Tensor:
        """``(B P, T / P) -> (B, T)``, in the order of the frames."""
        return values.unflatten(0, (-1, self.branches)).transpose(1, 2).flatten(1)


def spatial_mean(maps: Tensor) -> Tensor:
    """Mean over the pixels of each map: ``(B, T, C, H, W) -> (B, T, C)``, at least float32."""
    return maps.mean(dim=(3, 4), dtype=torch.promote_types(maps.dtype, torch.float32))


#: Poolings by name: f(channels, map size, attention width, rectified) -> module.
POOLINGS: dict[str, Callable[[int, tuple[int, int], int, bool], nn.Module]] = {
    "attention": SpatialTemporalAttention,
    "light": lambda channels, size, width, rectified: LightAttention(channels, width, rectified),
    "mean": lambda channels, size, width, rectified: MeanPooling(),
    "max": lambda channels, size, width, rectified: MaxPooling(),
    "gem": lambda channels, size, width, rectified: GeneralisedMean(),
    "peak": lambda channels, size, width, rectified: PeakPooling(),
}


def build_pooling(
    name: str, *, channels: int, size: tuple[int, int], width: int = 256, rectified: bool = True
) -> nn.Module:
    """Build a temporal pooling by name.

    Args:
        name: name in :data:`POOLINGS`.
        channels: number C of channels of the maps.
        size: height and width of the maps.
        width: width of the attention.
        rectified: whether the attention has a ReLU before its softmax.

    Example:
        >>> pooling = build_pooling("attention", channels=8, size=(4, 2))
        >>> clip = pooling(torch.randn(3, 5, 8, 4, 2))  # three clips of five frames
        >>> clip.pooled.shape, clip.attention.shape
        (torch.Size([3, 8]), torch.Size([3, 5]))
    """
    if name not in POOLINGS:
        raise ConfigError(
            f"unknown pooling {name!r}; choose one of {sorted(POOLINGS)}{nearest(name, POOLINGS)}"
        )
    return POOLINGS[name](channels, size, width, rectified)


def _initialise(layer: nn.Conv1d | nn.Conv2d | nn.Linear) -> None:
    """He initialisation by fan-in, as in the attention of the released code."""
    nn.init.kaiming_normal_(layer.weight, a=0, mode="fan_in")
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def _wide(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _without_scores(pooled: Tensor, maps: Tensor) -> Pooled:
    scores = pooled.new_ones(maps.shape[:2])
    return Pooled(pooled, scores, scores / maps.shape[1])
