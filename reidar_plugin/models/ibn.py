r"""IBN-a and instance normalisation in a single affine pass that keeps the memory format of its input.

IBN-a (Pan et al., Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net, ECCV 2018)
normalises the first half of the channels over the pixels of each frame and the second half over the pixels of
the whole batch. The usual implementation splits the map, copies and normalises both halves, and concatenates them:
three more passes over memory. Neither the split nor ``nn.InstanceNorm2d`` keeps channels_last, so the following
convolution has to convert. Here both halves share one reduction and one multiply-add, and the backward pass is
computed in closed form, so that only the input has to be stored for it.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from reidar_plugin.ranks.batch_norm import pooled_moments, update_running
from reidar_plugin.ranks.collectives import average
from reidar_plugin.ranks.job import current

__all__ = ["FusedIBN", "FusedInstanceNorm2d", "fuse_ibn"]


class FusedIBN(nn.Module):
    """IBN-a layer ``(N, C, H, W) -> (N, C, H, W)`` with the values and state-dict names of torchreid's layer.

    Args:
        instance: normalisation of the first channels over each frame; becomes ``self.IN``.
        batch: normalisation of the other channels over the batch; becomes ``self.BN``.
    """

    def __init__(self, instance: nn.InstanceNorm2d, batch: nn.BatchNorm2d) -> None:
        super().__init__()
        if instance.eps != batch.eps:
            raise ValueError(
                f"both halves of an IBN layer need the same eps, got {instance.eps} and {batch.eps}"
            )
        self.IN = instance
        self.BN = batch

    def forward(self, maps: Tensor) -> Tensor:
        split, batch = self.IN.num_features, self.BN
        mean, var = _moments(maps.detach())  # (N, C) each
        if batch.training:
            between, batch_mean = torch.var_mean(mean[:, split:], dim=0, correction=0)
            batch_var = var[:, split:].mean(dim=0) + between  # the law of total variance
            batch_mean, batch_var = pooled_moments(batch_mean, batch_var)
            count = current().size * maps.numel() // maps.shape[1]
            update_running(batch, batch_mean, batch_var, count)
        else:
            batch_mean, batch_var = batch.running_mean, batch.running_var  # type: ignore[assignment]
        mean[:, split:], var[:, split:] = batch_mean, batch_var
        weight = torch.cat((self.IN.weight, batch.weight))
        bias = torch.cat((self.IN.bias, batch.bias))
        return _Normalise.apply(maps, weight, bias, mean, _rsqrt(var, batch.eps), split, batch.training)


class FusedInstanceNorm2d(nn.InstanceNorm2d):
    """``nn.InstanceNorm2d`` with affine weights and no running statistics, keeping the memory format."""

    def forward(self, maps: Tensor) -> Tensor:
        mean, var = _moments(maps.detach())
        return _Normalise.apply(
            maps, self.weight, self.bias, mean, _rsqrt(var, self.eps), self.num_features, False
        )


def fuse_ibn(network: nn.Module) -> int:
    """Replace the IBN and instance normalisation layers of a network by fused ones, in place.

    An IBN layer is recognised by its two children ``IN`` and ``BN``. Parameters, buffers and their names are kept.

    Args:
        network: the network to modify.

    Returns:
        Number of layers that were replaced.
    """
    replaced = 0
    for parent in list(network.modules()):
        if _is_ibn(parent):
            continue  # its IN becomes part of the fused layer unchanged
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
    """Mean and variance of each map over its pixels, ``(N, C)``, at least float32."""
    wide = maps.to(torch.promote_types(maps.dtype, torch.float32))
    if wide.is_cuda:
        var, mean = torch.var_mean(wide, dim=(2, 3), correction=0)
        return mean, var
    mean = wide.mean(dim=(2, 3))  # on a CPU two passes are several times faster than var_mean
    return mean, (wide - mean[:, :, None, None]).square().mean(dim=(2, 3))


def _rsqrt(var: Tensor, eps: float) -> Tensor:
    return (var + eps).rsqrt()


class _Normalise(torch.autograd.Function):
    r"""``y = (x - mean) * rstd * weight + bias``, where the statistics depend on ``x``.

    With :math:`\hat x` the normalised input, :math:`g = \partial L / \partial y` and averages over the pixels
    that share a statistic (a frame below ``split``, the batch above it):

    .. math::
        \partial L / \partial x = w\,r\,\bigl(g - \overline{g} - \hat x\,\overline{g \hat x}\bigr)

    If the statistics are fixed, both averages are dropped.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, rstd: Tensor, split: int, live: bool
    ) -> Tensor:
        scale = weight * rstd
        shift = torch.addcmul(bias, mean, scale, value=-1)
        ctx.save_for_backward(x, mean, rstd, scale)
        ctx.split, ctx.live = split, live
        # ``out`` sets the dtype and the memory format of the result without a second pass
        with torch.no_grad():  # implied by autograd.Function, but torch.compile before 2.5 needs it
            return torch.addcmul(_pixels(shift), x, _pixels(scale), out=torch.empty_like(x))

    @staticmethod
    @once_differentiable  # the statistics are constants here, so a second derivative would be wrong
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        gradient = gradients[0]
        x, mean, rstd, scale = ctx.saved_tensors
        centred = x - _pixels(mean)
        level = gradient.sum(dim=(2, 3), dtype=mean.dtype)
        slope = (gradient * centred).sum(dim=(2, 3)) * rstd
        sums = torch.stack((level, slope))  # (2, N, C)
        grad_bias, grad_weight = sums.sum(dim=1)
        sums[:, :, ctx.split :] = _batch_means(sums[:, :, ctx.split :]) if ctx.live else 0.0
        level, slope = sums * (scale / -(x.shape[2] * x.shape[3]))
        inner = torch.addcmul(_pixels(level), gradient, _pixels(scale))
        grad_x = torch.addcmul(inner, centred, _pixels(slope * rstd), out=torch.empty_like(x))
        return grad_x, grad_weight, grad_bias, None, None, None, None


def _batch_means(sums: Tensor) -> Tensor:
    """``(2, N, C) -> (2, 1, C)``, over the frames of all ranks."""
    means = sums.mean(dim=1, keepdim=True)
    average([means])
    return means


def _pixels(values: Tensor) -> Tensor:
    return values[:, :, None, None]
