"""Chance as a function of the seed and a place in the run, so that any part of a run can be made again."""

from typing import Literal, TypeAlias

import numpy as np
import torch

from reidar_plugin.errors import InputError

__all__ = ["numpy_generator", "torch_generator"]

Purpose: TypeAlias = Literal["order", "frames", "pixels"]

_STREAMS: dict[Purpose, int] = {"order": 0, "frames": 1, "pixels": 2}


def numpy_generator(seed: int, purpose: Purpose, *place: int) -> np.random.Generator:
    """A generator that depends on its arguments alone; every purpose and every place has a stream of its own.

    Args:
        seed: of the run, >= 0.
        purpose: what is drawn: the order of tracklets, frames of a clip, or what happens to its pixels.
        place: where in the run, e.g. epoch and step; integers >= 0.
    """
    return np.random.default_rng(_sequence(seed, purpose, place))


def torch_generator(seed: int, purpose: Purpose, *place: int) -> torch.Generator:
    """As :func:`numpy_generator`, a torch generator on the CPU."""
    state = _sequence(seed, purpose, place).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


def _sequence(seed: int, purpose: Purpose, place: tuple[int, ...]) -> np.random.SeedSequence:
    if min(seed, *place, 0) < 0:
        raise InputError(f"a seed and a place in the run must be >= 0, got seed {seed}, place {place}")
    return np.random.SeedSequence(seed, spawn_key=(_STREAMS[purpose], *place))
