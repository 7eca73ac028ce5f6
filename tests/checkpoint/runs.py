"""Runs that are broken off, and what they are compared with."""

import os
import random
from typing import Any

import numpy as np
import pytest
import torch

from reidar_plugin.engine.train_step import TrainStep
from tests.engine_rig import run

EPOCHS = {"train__max_epoch": 3, "test__eval_freq": 1}
STEPS = 3  # of an epoch


class Killed(Exception):
    """Stands for a kill at that moment."""


def killed_at(monkeypatch: pytest.MonkeyPatch, step: int, cfg: Any) -> None:
    """Run, and die inside a step, after random numbers have been drawn from every generator."""
    original, count = TrainStep.__call__, iter(range(10**6))

    def dying(self: TrainStep, *args: Any) -> torch.Tensor:
        if next(count) == step:
            torch.rand(3), np.random.rand(3), random.random()
            raise Killed
        return original(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(TrainStep, "__call__", dying)
        with pytest.raises(Killed):
            run(cfg)


class Hostile:
    """What would make a folder if it were unpickled."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("hostile_code_ran",)
