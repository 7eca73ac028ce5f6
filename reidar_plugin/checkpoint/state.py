"""All that training needs to go on, as one dictionary that holds tensors and plain values only."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from torch import nn

from reidar_plugin.checkpoint.random_state import random_state, restore_random_state
from reidar_plugin.checkpoint.store import CheckpointError, Position
from reidar_plugin.errors import summary

__all__ = ["OURS", "Stateful", "load_weights", "plain", "restore", "snapshot", "unwrapped"]

#: Key of a checkpoint that holds what the host does not save.
OURS = "reidar"


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
    **facts: Any,
) -> dict[str, Any]:
    """The content of a checkpoint.

    Args:
        model, optimizer, scheduler: under the host's keys, so that the host can load them.
        parts: everything else with a state: objective with its centres, their optimisers, scaler, ...
        position: where training is; loaders and augmentation depend on it alone.
        rank1: of the last test, as the host keeps it.
        facts: plain values to keep.
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
            **plain(facts),
        },
    }


def restore(
    state: Mapping[str, Any],
    model: nn.Module,
    optimizer: Stateful,
    scheduler: Stateful | None,
    parts: Mapping[str, Stateful],
) -> Position:
    """Undo everything since :func:`snapshot`, generators of chance included; returns where training was."""
    load_weights(model, state["state_dict"])
    try:
        optimizer.load_state_dict(state["optimizer"])
        if scheduler is not None and state["scheduler"]:
            scheduler.load_state_dict(state["scheduler"])
        ours = state[OURS]
        for name, part in parts.items():
            part.load_state_dict(ours["parts"][name])
        restore_random_state(ours["chance"])
        return Position(int(state["epoch"]), int(ours["step"]))
    except (KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"the checkpoint does not fit this run: {summary(error)}") from error


def load_weights(model: nn.Module, weights: Mapping[str, Any]) -> None:
    """Load all weights of a model.

    Raises:
        CheckpointError: names or shapes differ; the message tells the first few.
    """
    target = unwrapped(model)
    ours = target.state_dict()
    wrong = [f"lacks {name}" for name in ours if name not in weights]
    wrong += [f"has {name}, which this model has not" for name in weights if name not in ours]
    wrong += [
        f"{name} is {tuple(value.shape)}, here {tuple(ours[name].shape)}"
        for name, value in weights.items()
        if name in ours and value.shape != ours[name].shape
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
