"""What a checkpoint holds: all that training needs to go on, as one dictionary of tensors and plain values."""

import random
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from reidar_plugin.checkpoint.likeness import is_whole, unlike, unlike_optimizer
from reidar_plugin.checkpoint.store import CheckpointError, Position
from reidar_plugin.errors import shown, summary

__all__ = [
    "OURS",
    "Stateful",
    "load_weights",
    "plain",
    "random_state",
    "restore",
    "restore_random_state",
    "snapshot",
    "unwrapped",
]

#: Key of a checkpoint that holds what the host does not save.
OURS = "reidar"

#: What loading a state of something else ends in.
_MISFITS = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError)


class Stateful(Protocol):
    """Anything that can be saved."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any], /) -> Any: ...


def snapshot(
    model: nn.Module,
    optimizer: Stateful,
    scheduler: Stateful | None,
    parts: Mapping[str, Stateful],
    position: Position,
    rank1: float = 0.0,
    **about: Any,
) -> dict[str, Any]:
    """The content of a checkpoint.

    Args:
        model: kept under the host's key, so that the host can load it; likewise the next two.
        optimizer: the optimiser of the model.
        scheduler: its learning rate schedule; None for none.
        parts: everything else with a state: objective with its centres, their optimisers, scaler, ...
        position: where training is; loaders and augmentation depend on it alone.
        rank1: rank-1 of the last test, as the host keeps it.
        about: plain values that are kept beside the state.
    """
    return {
        "state_dict": dict(unwrapped(model).state_dict()),
        "epoch": position.epoch,
        "rank1": float(rank1),
        "optimizer": plain(optimizer.state_dict()),
        "scheduler": plain(scheduler.state_dict()) if scheduler is not None else {},
        OURS: {
            "step": position.step,
            "chance": random_state(),
            "parts": {name: plain(part.state_dict()) for name, part in parts.items()},
            **plain(about),
        },
    }


def restore(
    state: Mapping[str, Any],
    model: nn.Module,
    optimizer: Stateful,
    scheduler: Stateful | None,
    parts: Mapping[str, Stateful],
) -> Position:
    """Bring everything back to where it was at :func:`snapshot`, random generators included.

    Args:
        state: the content of a checkpoint.
        model: takes the weights.
        optimizer: takes its state.
        scheduler: takes its state; None for none.
        parts: each takes the state that was saved under its name.

    Returns:
        Where training was.

    Raises:
        CheckpointError: the checkpoint is of another model, lacks a part, or holds something else in its place.
    """
    try:
        load_weights(model, state["state_dict"])
        _take(optimizer, state["optimizer"], "optimizer")
        if scheduler is not None and state["scheduler"]:
            _take(scheduler, state["scheduler"], "scheduler")
        ours = state[OURS]
        for name, part in parts.items():
            _take(part, ours["parts"][name], name)
        restore_random_state(ours["chance"])
        return Position(_count(state["epoch"], "epoch"), _count(ours["step"], "step"))
    except CheckpointError:
        raise
    except _MISFITS as error:
        raise CheckpointError(f"the checkpoint does not fit this run: {summary(error)}") from error


def _take(part: Stateful, saved: Any, name: str) -> None:
    """Load a state that is of the kind that the part itself has; a module looks at its tensors as it loads them."""
    optimizer = part if isinstance(part, Optimizer) else None
    wrong = (
        unlike(saved, part.state_dict(), name)
        if optimizer is None
        else unlike_optimizer(saved, optimizer, name)
    )
    if first := next(wrong, ""):
        raise ValueError(first)
    groups = [] if optimizer is None else [group.keys() for group in optimizer.param_groups]
    part.load_state_dict(saved)
    for index, options in enumerate(groups):  # torch fills in those that came with a later version
        if optimizer is not None and (gone := options - optimizer.param_groups[index].keys()):
            raise ValueError(f"{name}.param_groups[{index}] lacks {', '.join(sorted(gone))}")


def _count(number: Any, name: str) -> int:
    if type(number) is not int or not 0 <= number < 2**63:
        raise ValueError(f"{name} is {shown(number)}")
    return number


def load_weights(model: nn.Module, weights: Mapping[str, Any]) -> None:
    """Load all weights of a model.

    Args:
        model: takes them; may be wrapped in ``DataParallel``.
        weights: tensors by the names of the model that is not wrapped.

    Raises:
        CheckpointError: names or shapes differ; the message tells the first few.
    """
    target = unwrapped(model)
    ours = target.state_dict()
    wrong = [f"lacks {name}" for name in ours if name not in weights]
    wrong += [f"has {shown(name)[1:-1]}, which this model has not" for name in weights if name not in ours]
    wrong += [
        f"{name} is {shown(tuple(value.shape))}, here {tuple(ours[name].shape)}"
        if isinstance(value, Tensor) and value.shape != ours[name].shape
        else f"has something else than numbers for {name}"
        for name, value in weights.items()
        if name in ours and (not is_whole(value) or value.shape != ours[name].shape)
    ]
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise CheckpointError(f"the checkpoint is of another model: it {'; '.join(wrong[:3])}{more}")
    target.load_state_dict(weights)


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside ``DataParallel``, whose names have no ``module.`` before them."""
    return model.module if isinstance(model, nn.DataParallel) else model


def plain(value: Any) -> Any:
    """The same value without the few types that ``weights_only`` refuses in one torch or another."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(plain(item) for item in value)
    return value


def random_state() -> dict[str, Any]:
    """State of Python's, NumPy's, torch's and every CUDA device's random generator, in plain values."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": [
            str(name),
            torch.from_numpy(np.asarray(keys, dtype=np.int64)),
            int(position),
            int(has_gauss),
            float(gauss),
        ],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Set the generators back to what :func:`random_state` gave; those of devices that are not here are left out."""
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, *rest = state["numpy"]
    if not 0 <= rest[0] <= len(keys):  # numpy would read beyond them
        raise ValueError(f"a place of {shown(rest[0])} among {len(keys)} random numbers")
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
