"""Whether a saved state is of the kind that a run has itself: what loads need not work in the next step."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from reidar_plugin.errors import shown

__all__ = ["is_whole", "unlike", "unlike_optimizer"]

_MOVING = ("lr", "params")  # of a group; all else is said by the config, which is the same


def is_whole(value: Any) -> bool:
    """Whether it is a tensor with a number at each place."""
    return (
        isinstance(value, Tensor)
        and not value.is_meta
        and value.layout == torch.strided
        and not value.is_complex()
    )


def unlike(saved: Any, ours: Any, where: str) -> Iterator[str]:
    """Places at which a saved state holds something of another kind, in words.

    A name that only one of the two has is passed over, as is the content of what is empty here: other versions have
    others, and whatever must not be missing is missed where it is loaded.

    Args:
        saved: the state, or a part of it.
        ours: the same of what would take it.
        where: its name.
    """
    if isinstance(ours, Tensor):
        if not is_whole(saved) or saved.shape != ours.shape:
            yield f"{where} is {_kind(saved)}, here {_kind(ours)}"
    elif isinstance(ours, Mapping):
        if not isinstance(saved, Mapping):
            yield f"{where} is {shown(saved)}, which has no names"
        else:
            for name in ours.keys() & saved.keys():
                yield from unlike(saved[name], ours[name], f"{where}.{name}")
    elif isinstance(ours, list | tuple):
        if not isinstance(saved, list | tuple):
            yield f"{where} is {shown(saved)}, expected a list"
        else:
            for index, (theirs, own) in enumerate(zip(saved, ours, strict=False)):
                yield from unlike(theirs, own, f"{where}[{index}]")
    elif ours is not None and not _is_as(saved, ours):
        yield f"{where} is {shown(saved)}, expected {type(ours).__name__}"


def unlike_optimizer(saved: Any, optimizer: Optimizer, where: str) -> Iterator[str]:
    """The same of the state of an optimiser, whose options are those of the config, and which is empty before a step."""
    ours = optimizer.state_dict()
    yield from unlike(saved, ours, where)
    for index, (theirs, own) in enumerate(zip(saved["param_groups"], ours["param_groups"], strict=False)):
        for name, value in own.items():
            fixed = name not in _MOVING and isinstance(value, bool | int | float | str | tuple)
            if fixed and name in theirs and theirs[name] != value:
                yield f"{where}.param_groups[{index}].{name} is {shown(theirs[name])}, here {shown(value)}"
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    names = None
    for index, kept in saved["state"].items():
        place = f"{where}.state[{shown(index)}]"
        if type(index) is not int or not 0 <= index < len(parameters):
            yield f"{place} is of none of the {len(parameters)} parameters here"
        names = kept.keys() if names is None else names
        if kept.keys() != names:
            yield f"{place} has {', '.join(map(shown, kept))}, and the others {', '.join(map(shown, names))}"
        for name, value in kept.items():
            if isinstance(value, Tensor):
                fits = is_whole(value) and value.is_floating_point()
                fits = fits and (value.numel() == 1 or value.shape == parameters[index].shape)
            else:
                fits = value is None or _is_as(value, 0.0)
            if not fits or (name == "step" and not (float(value) >= 0 and math.isfinite(value))):
                yield f"{place}.{name} is {_kind(value)}"


def _is_as(value: Any, ours: Any) -> bool:
    """Whether a single value is of the same type; another torch may write a whole number as 0 or as 0.0."""
    if type(ours) is int:
        return (type(value) is int and abs(value) < 2**63) or (type(value) is float and value.is_integer())
    return type(value) is type(ours) or (type(ours) is float and _is_as(value, 0))


def _kind(value: Any) -> str:
    if not isinstance(value, Tensor):
        return shown(value)
    holder = "hollow" if value.is_meta else str(value.layout).removeprefix("torch.")
    return f"a {holder} tensor of {value.dtype} of shape {shown(tuple(value.shape))}"
