r"""IBN-a and instance normalisation as one affine pass that keeps the memory format of what comes in.

IBN-a (Pan et al., Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net, ECCV 2018)
normalises the first half of the channels over the pixels of each frame and the second half over the pixels of
the whole batch. The usual form splits the map, copies both halves, normalises each and concatenates: three
more passes over memory, and neither the split nor ``nn.InstanceNorm2d`` keeps channels_last, so that every
convolution behind it converts. Here both halves share one reduction and one multiply-add, and the backward
pass is written down in closed form, so that only the input is kept for it.
"""

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["FusedIBN", "FusedInstanceNorm2d", "fuse_ibn"]


class FusedIBN(nn.Module):
    """IBN-a layer ``(N, C, H, W) -> (N, C, H, W)``, the same numbers and state-dict names as torchreid's own.

    Args:
        instance: normalises the first channels, per frame; becomes ``self.IN``.
        batch: normalises the others, per batch; becomes ``self.BN``.
    """

    def __init__(self, instance: nn.InstanceNorm2d, batch: nn.BatchNorm2d) -> None:
        super().__init__()
        self.IN = instance
        self.BN = batch

    def forward(self, maps: Tensor) -> Tensor:
        split, batch = self.IN.num_features, self.BN
        mean, var = _moments(maps.detach())  # (N, C) each
        if batch.training:
            batch_mean, batch_var = _over_the_batch(mean[:, split:], var[:, split:])
            _update_running(batch, batch_mean, batch_var, maps.numel() // maps.shape[1])
        else:
            batch_mean, batch_var = batch.running_mean, batch.running_var  # type: ignore[assignment]
        rstd = torch.cat(
            (_rsqrt(var[:, :split], self.IN.eps), _rsqrt(batch_var, batch.eps).expand(len(maps), -1)), 1
        )
        mean = torch.cat((mean[:, :split], batch_mean.expand(len(maps), -1)), 1)
        weight = torch.cat((self.IN.weight, batch.weight))
        bias = torch.cat((self.IN.bias, batch.bias))
        return _Normalise.apply(maps, weight, bias, mean, rstd, split, batch.training)


class FusedInstanceNorm2d(nn.InstanceNorm2d):
    """``nn.InstanceNorm2d`` with affine weights and no running statistics, keeping the memory format."""

    def forward(self, maps: Tensor) -> Tensor:
        mean, var = _moments(maps.detach())
        return _Normalise.apply(
            maps, self.weight, self.bias, mean, _rsqrt(var, self.eps), self.num_features, False
        )


def fuse_ibn(network: nn.Module) -> int:
    """Put the fused layers in the place of a network's IBN and instance normalisation layers, in place.

    An IBN layer is known by its two children ``IN`` and ``BN``. Parameters and buffers are taken over, names
    stay.

    Returns:
        How many layers were replaced.
    """
    replaced = 0
    for parent in list(network.modules()):
        if _is_ibn(parent):
            continue  # its IN goes into the fused layer as it is
        for name, child in list(parent.named_children()):
            fused = _fused(child)
            if fused is not None:
                setattr(parent, name, fused)
                replaced += 1
    return replaced


def _fused(layer: nn.Module) -> nn.Module | None:
    if _is_ibn(layer):
        return FusedIBN(layer.IN, layer.BN)  # type: ignore[arg-type]
    if type(layer) is nn.InstanceNorm2d and layer.affine and not layer.track_running_stats:
        fused = FusedInstanceNorm2d(layer.num_features, eps=layer.eps, affine=True)
        fused.weight, fused.bias = layer.weight, layer.bias
        return fused.train(layer.training)
    return None


def _is_ibn(layer: nn.Module) -> bool:
    children = dict(layer.named_children())
    return (
        not isinstance(layer, FusedIBN)
        and children.keys() == {"IN", "BN"}
        and isinstance(children["IN"], nn.InstanceNorm2d)
        and isinstance(children["BN"], nn.BatchNorm2d)
    )


def _moments(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of each map over its pixels, ``(N, C)``, in float32 or better."""
    wide = maps.to(torch.promote_types(maps.dtype, torch.float32))
    if wide.is_cuda:
        var, mean = torch.var_mean(wide, dim=(2, 3), correction=0)
        return mean, var
    mean = wide.mean(dim=(2, 3))  # on a CPU two passes are several times faster than var_mean
    return mean, (wide - mean[:, :, None, None]).square().mean(dim=(2, 3))


def _over_the_batch(mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
    """Moments over the batch from those of its equally large parts: the law of total variance."""
    return mean.mean(dim=0), var.mean(dim=0) + mean.var(dim=0, correction=0)


@torch.no_grad()
def _update_running(norm: nn.BatchNorm2d, mean: Tensor, var: Tensor, count: int) -> None:
    """What ``nn.BatchNorm2d`` does in training: an exponential mean, of the unbiased variance."""
    norm.num_batches_tracked.add_(1)  # type: ignore[union-attr]
    momentum = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum  # type: ignore[arg-type]
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), momentum)  # type: ignore[union-attr]
    unbiased = var * (count / max(count - 1, 1))
    norm.running_var.lerp_(unbiased.to(norm.running_var.dtype), momentum)  # type: ignore[union-attr]


def _rsqrt(var: Tensor, eps: float) -> Tensor:
    return (var + eps).rsqrt()


class _Normalise(torch.autograd.Function):
    r"""``y = (x - mean) * rstd * weight + bias``, where the statistics depend on ``x``.

    With :math:`\hat x` the normalised input, :math:`g = \partial L / \partial y` and averages over the pixels
    that share a statistic (a frame below ``split``, the batch above it):

    .. math::
        \partial L / \partial x = w\,r\,\bigl(g - \overline{g} - \hat x\,\overline{g \hat x}\bigr)

    Where the statistics are frozen both averages are dropped.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, rstd: Tensor, split: int, live: bool
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, rstd)
        ctx.split, ctx.live = split, live
        scale = weight * rstd
        # ``out`` sets the dtype and the memory format of the result without a second pass
        return torch.addcmul(_pixels(bias - mean * scale), x, _pixels(scale), out=torch.empty_like(x))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        gradient = gradients[0]
        x, weight, mean, rstd = ctx.saved_tensors
        centred = x - _pixels(mean)
        total = gradient.sum(dim=(2, 3), dtype=mean.dtype)  # (N, C)
        along = (gradient * centred).sum(dim=(2, 3)) * rstd  # (N, C)
        pixels = x.shape[2] * x.shape[3]
        average, slope = (_shared(part / pixels, ctx.split, ctx.live) for part in (total, along))
        scale = weight * rstd
        inner = torch.addcmul(_pixels(-scale * average), gradient, _pixels(scale))
        grad_x = torch.addcmul(inner, centred, _pixels(-scale * rstd * slope), out=torch.empty_like(x))
        return grad_x, along.sum(dim=0), total.sum(dim=0), None, None, None, None


def _shared(average: Tensor, split: int, live: bool) -> Tensor:
    """Averages of single maps ``(N, C)`` -> averages of what shares a statistic; zero where it is frozen."""
    rest = average[:, split:]
    rest = rest.mean(dim=0).expand_as(rest) if live else torch.zeros_like(rest)
    return torch.cat((average[:, :split], rest), dim=1)


def _pixels(values: Tensor) -> Tensor:
    return values[:, :, None, None]
