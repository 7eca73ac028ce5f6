"""Shared by all losses: shape checks with clear messages, float32 arithmetic, masks for unknown labels."""

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import chain
from typing import Any, ParamSpec

import torch
from torch import Tensor

from reidar_plugin.errors import ConfigError, InputError

__all__ = [
    "check_centres",
    "check_choice",
    "check_embedding",
    "check_focus",
    "check_fraction",
    "check_labels",
    "check_pids",
    "class_vector",
    "in_float32",
    "known_labels",
    "masked_mean",
]

P = ParamSpec("P")


def in_float32(loss: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Decorator: compute a loss in float32 also under autocast and for half-precision inputs; float64 stays.

    Autocast is switched off inside, because it would compute products of float32 features in half precision,
    and a distance is the small difference of two large products.
    """

    @wraps(loss)
    def run(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        device = next(x.device.type for x in chain(args, kwargs.values()) if isinstance(x, Tensor))
        with torch.autocast(device, enabled=False):
            return loss(*map(_raised, args), **{k: _raised(v) for k, v in kwargs.items()})

    return run


def _raised(value: Any) -> Any:
    half = isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16)
    return value.float() if half else value


def check_embedding(features: Tensor, pids: Tensor) -> None:
    """Raise ValueError unless features are ``(B, D)`` and identities ``(B,)`` with B >= 1."""
    if features.ndim != 2 or pids.ndim != 1 or len(features) != len(pids) or len(pids) == 0:
        raise ValueError(
            "expected features (B, D) and pids (B,) with B >= 1, "
            f"got {tuple(features.shape)} and {tuple(pids.shape)}"
        )


def check_pids(pids: Tensor, num_classes: int) -> None:
    """Raise ValueError for identities outside ``0..num_classes-1``; checked on the CPU only."""
    if pids.device.type != "cpu" or torch.compiler.is_compiling():
        return  # reading values would wait for the GPU, whose index kernels check the range themselves
    low, high = int(pids.min()), int(pids.max())
    if low < 0 or high >= num_classes:
        raise InputError(
            f"expected pids in 0..{num_classes - 1} ({num_classes} classes), got {low}..{high}; "
            "number the training identities 0, 1, 2, ... and build with as many classes"
        )


def check_centres(features: Tensor, centres: Tensor) -> None:
    """Raise ValueError unless centres are ``(K, D)`` for features ``(..., D)``."""
    if centres.ndim != 2 or centres.shape[1] != features.shape[-1]:
        raise ValueError(
            f"expected centres (K, {features.shape[-1]}) for features {tuple(features.shape)}, "
            f"got {tuple(centres.shape)}"
        )


def check_labels(logits: Tensor, labels: Tensor) -> None:
    """Raise ValueError unless logits and labels have one shape ``(B, M)`` with B, M >= 1."""
    if logits.ndim != 2 or logits.shape != labels.shape or logits.numel() == 0:
        raise ValueError(
            "expected logits and labels of one shape (B, M) with B, M >= 1, "
            f"got {tuple(logits.shape)} and {tuple(labels.shape)}"
        )


def check_choice(what: str, value: str, choices: Sequence[str]) -> None:
    """Raise ConfigError unless ``value`` is one of the choices; ``what`` names the option in the message."""
    if value not in choices:
        raise ConfigError(f"unknown {what} {value!r}; choose one of {', '.join(map(repr, choices))}")


def check_focus(what: str, gamma: float) -> None:
    """Raise ValueError unless a focusing exponent is 0 or >= 1.

    Between 0 and 1 its gradient is infinite for a perfect prediction.
    """
    if not (gamma == 0 or gamma >= 1):
        raise ValueError(f"{what} must be 0 or >= 1, got {gamma}")


def check_fraction(what: str, value: float) -> None:
    """Raise ValueError for a number outside ``[0, 1)``; ``what`` names the option in the message."""
    if not 0 <= value < 1:
        raise ValueError(f"{what} must be in [0, 1), got {value}")


def class_vector(values: Tensor | Sequence[float], like: Tensor) -> Tensor:
    """Convert one number for each class to a tensor ``(M,)`` with dtype and device of the logits ``(B, M)``."""
    vector = torch.as_tensor(values, dtype=like.dtype, device=like.device)
    if vector.shape != like.shape[-1:]:
        raise ValueError(
            f"expected one number for each of {like.shape[-1]} columns, got {tuple(vector.shape)}"
        )
    return vector


def known_labels(labels: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """Split labels with NaN into values and a mask.

    Returns:
        The labels in the dtype of ``like`` with 0 in place of NaN, and the bool mask of known labels.

    Example:
        >>> known_labels(torch.tensor([[1.0, torch.nan]]), like=torch.zeros(1))
        (tensor([[1., 0.]]), tensor([[ True, False]]))
    """
    known = ~labels.isnan()
    return torch.where(known, labels, 0).to(like.dtype), known


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of the values under the mask; 0 with gradient 0 for an empty mask. Never synchronises with the device."""
    return torch.where(mask, values, 0).sum() / mask.sum().clamp(min=1)
