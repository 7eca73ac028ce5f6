r"""From what the frames of a clip say of an action to what the clip says: multiple-instance pooling.

A label says that an action is seen in a clip, not in which frame. With :math:`z_t` the logit of frame t, the logit of
the clip and the share that frame t has in it are

============= ============================================================ =====================================
name          logit of the clip                                            share of frame t
============= ============================================================ =====================================
mean          :math:`\frac{1}{T} \sum_t z_t`                               :math:`1 / T`
max           :math:`\max_t z_t`                                           1 for the first largest, else 0
log_sum_exp   :math:`\log \frac{1}{T} \sum_t e^{z_t}`                      :math:`\mathrm{softmax}_t(z)`
noisy_or      logit of :math:`1 - \prod_t (1 - \sigma(z_t))`               :math:`\sigma(z_t) / \sum_s \sigma(z_s)`
attention     :math:`\sum_t w_t z_t`, :math:`w = \mathrm{softmax}_t(s)`    :math:`w_t`
============= ============================================================ =====================================

with the score :math:`s_t` that attention gives to the frame. Frames that only repeat another count nowhere, T neither.

Reference: Ilse et al., Attention-based Deep Multiple Instance Learning, ICML 2018, for the last one and an overview.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from reidar_plugin.errors import ConfigError, nearest

__all__ = ["INSTANCE_POOLINGS", "ClipLogits", "check_pooling", "pool_instances"]


class ClipLogits(NamedTuple):
    """A clip, from its frames."""

    logits: Tensor  #: ``(B, M)``
    shares: Tensor  #: ``(B, T, M)``, sum 1 over the frames


def pool_instances(name: str, logits: Tensor, scores: Tensor, counts: Tensor) -> ClipLogits:
    """Pool frames by the name of a pooling.

    Args:
        name: one of :data:`INSTANCE_POOLINGS`.
        logits: logits of the frames, ``(B, T, M)``.
        scores: scores of the frames, before a softmax over them, ``(B, T, M)``.
        counts: bool ``(B, T)``, which frames count; at least one in each clip.
    """
    return INSTANCE_POOLINGS[name](logits, scores, counts[:, :, None])


def check_pooling(name: str, further: tuple[str, ...] = ()) -> None:
    """Refuse a name that is no pooling, nor one of ``further``."""
    names = (*further, *INSTANCE_POOLINGS)
    if name not in names:
        raise ConfigError(
            f"unknown action_pooling {name!r};{nearest(name, names)} choose one of {', '.join(names)}"
        )


def _mean(logits: Tensor, scores: Tensor, counts: Tensor) -> ClipLogits:
    shares = (counts / counts.sum(dim=1, keepdim=True)).to(logits.dtype).expand_as(logits)
    return ClipLogits((shares * logits).sum(dim=1), shares)


def _max(logits: Tensor, scores: Tensor, counts: Tensor) -> ClipLogits:
    largest = _only(logits, counts).max(dim=1)
    return ClipLogits(largest.values, _one_hot(largest.indices, logits))


def _log_sum_exp(logits: Tensor, scores: Tensor, counts: Tensor) -> ClipLogits:
    counted = _only(logits, counts)
    pooled = counted.logsumexp(dim=1) - counts.sum(dim=1).to(logits.dtype).log()
    return ClipLogits(pooled, counted.softmax(dim=1))


def _noisy_or(logits: Tensor, scores: Tensor, counts: Tensor) -> ClipLogits:
    # -log of the probability that no frame shows it; > 0, so that its own logit is finite
    never = (F.softplus(logits) * counts).sum(dim=1).clamp(min=torch.finfo(logits.dtype).tiny)
    shares = _only(F.logsigmoid(logits), counts).softmax(dim=1)
    return ClipLogits(never + (-torch.expm1(-never)).log(), shares)


def _attention(logits: Tensor, scores: Tensor, counts: Tensor) -> ClipLogits:
    shares = _only(scores, counts).softmax(dim=1)
    return ClipLogits((shares * logits).sum(dim=1), shares)


#: name -> (logits and scores ``(B, T, M)``, which frames count ``(B, T, 1)``) -> :class:`ClipLogits`
INSTANCE_POOLINGS: dict[str, Callable[[Tensor, Tensor, Tensor], ClipLogits]] = {
    "mean": _mean,
    "max": _max,
    "log_sum_exp": _log_sum_exp,
    "noisy_or": _noisy_or,
    "attention": _attention,
}


def _only(values: Tensor, counts: Tensor) -> Tensor:
    return values.masked_fill(~counts, float("-inf"))


def _one_hot(index: Tensor, like: Tensor) -> Tensor:
    return torch.zeros_like(like).scatter_(1, index[:, None], 1.0)
