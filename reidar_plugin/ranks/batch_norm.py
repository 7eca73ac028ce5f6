r"""Batch normalisation over the clips of all ranks, on any device.

With means over all B clips and pixels of a channel, :math:`\hat x` the normalised input and
:math:`g = \partial L / \partial y`:

.. math::
    y = w \hat x + b, \qquad
    \partial L / \partial x = w\,r\,\bigl(g - \overline{g} - \hat x\,\overline{g \hat x}\bigr)

Every rank has equally many clips. The means of each are exchanged, once in each direction; all else is torch's own
kernel with fixed statistics, for which ``torch.nn.SyncBatchNorm`` has none on a CPU.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from reidar_plugin.ranks.collectives import average, gathered
from reidar_plugin.ranks.job import current

__all__ = ["SyncedBatchNorm", "pooled_moments", "sync_batch_norms", "update_running"]


def sync_batch_norms(network: nn.Module) -> int:
    """Let the batch normalisations of a network see the clips of all ranks, in place; names and parameters are kept.

    Returns:
        Number of layers that were replaced.
    """
    replaced = 0
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, _BatchNorm) and not isinstance(child, SyncedBatchNorm):
                setattr(parent, name, SyncedBatchNorm.of(child))
                replaced += 1
    return replaced


class SyncedBatchNorm(_BatchNorm):
    """``nn.BatchNorm1d``, ``2d`` or ``3d`` over the clips of all ranks: ``(N, C, ...) -> (N, C, ...)``."""

    @classmethod
    def of(cls, layer: _BatchNorm) -> "SyncedBatchNorm":
        """A layer with the parameters, buffers and mode of that one."""
        synced = cls(layer.num_features)
        synced.__dict__.update(layer.__dict__)
        return synced

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of places is fine."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        wide = input.detach().to(torch.promote_types(input.dtype, torch.float32))
        var, mean = torch.var_mean(wide, dim=[0, *range(2, input.dim())], correction=0)
        mean, var = pooled_moments(mean, var)
        if self.track_running_stats:
            update_running(self, mean, var, current().size * input.numel() // input.shape[1])
        weight = torch.ones_like(mean) if self.weight is None else self.weight
        bias = torch.zeros_like(mean) if self.bias is None else self.bias
        return _Normalise.apply(input, weight, bias, mean, var, self.eps)


def pooled_moments(mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance ``(C,)`` over all ranks, from those of each, by the law of total variance."""
    if current().size == 1:
        return mean, var
    means, variances = gathered(torch.stack([mean, var])).unbind(1)
    between, mean = torch.var_mean(means, dim=0, correction=0)
    return mean, variances.mean(dim=0) + between


@torch.no_grad()
def update_running(norm: _BatchNorm, mean: Tensor, var: Tensor, count: int) -> None:
    """Update running statistics as ``nn.BatchNorm2d`` does: exponential means, of the unbiased variance."""
    norm.num_batches_tracked.add_(1)  # type: ignore[union-attr]
    momentum = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum  # type: ignore[arg-type]
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), momentum)  # type: ignore[union-attr]
    unbiased = var * (count / max(count - 1, 1))
    norm.running_var.lerp_(unbiased.to(norm.running_var.dtype), momentum)  # type: ignore[union-attr]


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor, eps: float
    ) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, weight, mean, var)
        ctx.eps = eps
        return F.batch_norm(x, mean, var, weight, bias, False, 0.0, eps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if gradients[0] is None:  # nothing reads the output, at any rank
            return (None,) * 6
        x, weight, mean, var = ctx.saved_tensors
        straight, grad_weight, grad_bias = torch.ops.aten.native_batch_norm_backward(
            gradients[0], x, weight, mean, var, None, None, False, ctx.eps, [True, True, True]
        )
        means = torch.stack([grad_bias, grad_weight]) * (x.shape[1] / x.numel())
        average([means])
        rstd = (var + ctx.eps).rsqrt()
        level, slope = means * (weight * rstd)
        slope = slope * rstd
        shape = (1, -1, *[1] * (x.dim() - 2))
        inner = straight + (slope * mean - level).view(shape).to(x.dtype)
        grad_x = torch.addcmul(inner, x, slope.view(shape), value=-1, out=torch.empty_like(x))
        return grad_x, grad_weight, grad_bias, None, None, None
