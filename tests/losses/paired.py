"""Eight clips of three people: the batch on which triplet losses are compared with loops."""

import torch

_GENERATOR = torch.Generator().manual_seed(4)
FEATURES = torch.randn(8, 3, generator=_GENERATOR, dtype=torch.float64)
COVARIATES = torch.randn(8, 2, generator=_GENERATOR, dtype=torch.float64)
PIDS = torch.tensor([0, 0, 0, 1, 1, 1, 1, 2])  # the last one is alone
ANCHORS = 7  # clips with a positive


def positives(i: int) -> list[int]:
    return [j for j, pid in enumerate(PIDS.tolist()) if pid == PIDS[i] and j != i]


def negatives(i: int) -> list[int]:
    return [j for j, pid in enumerate(PIDS.tolist()) if pid != PIDS[i]]
