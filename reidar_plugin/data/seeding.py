"""Random generators that depend only on the seed and the position in the run, so that any part can be repeated."""

from typing import Literal, TypeAlias

import numpy as np
import torch

from reidar_plugin.errors import InputError

__all__ = ["numpy_generator", "seed_network", "torch_generator"]

Purpose: TypeAlias = Literal["order", "frames", "pixels", "network"]

_STREAMS: dict[Purpose, int] = {"order": 0, "frames": 1, "pixels": 2, "network": 3}


def numpy_generator(seed: int, purpose: Purpose, *position: int) -> np.random.Generator:
    """A NumPy generator with an independent stream for each purpose and each position.

    Args:
        seed: seed of the run, >= 0.
        purpose: what is drawn: the "order" of tracklets, the "frames" of a clip, changes of its "pixels", or what the
            "network" draws (dropout).
        position: position in the run, e.g. epoch and step; integers >= 0.

    Example:
        >>> numpy_generator(1, "order", 0).permutation(5).tolist()
        [3, 4, 1, 2, 0]
    """
    return np.random.default_rng(_sequence(seed, purpose, position))


def torch_generator(seed: int, purpose: Purpose, *position: int) -> torch.Generator:
    """A torch generator on the CPU; otherwise like :func:`numpy_generator`."""
    return torch.Generator().manual_seed(_number(seed, purpose, position))


def seed_network(seed: int, epoch: int, step: int, rank: int) -> None:
    """Make what the network of a rank draws in a step (dropout), on any device, a function of these four numbers."""
    torch.manual_seed(_number(seed, "network", (epoch, step, rank)))


def _number(seed: int, purpose: Purpose, position: tuple[int, ...]) -> int:
    return int(_sequence(seed, purpose, position).generate_state(1, np.uint64)[0])


def _sequence(seed: int, purpose: Purpose, position: tuple[int, ...]) -> np.random.SeedSequence:
    if min(seed, *position, 0) < 0:
        raise InputError(f"a seed and a position must be >= 0, got seed {seed}, position {position}")
    return np.random.SeedSequence(seed, spawn_key=(_STREAMS[purpose], *position))
