"""Five clips and three actions, some of them unknown: the batch on which action losses are compared with loops."""

import math
from typing import NamedTuple

import torch

NAN = math.nan
LOGITS = 2 * torch.randn(5, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
LABELS = torch.tensor([[1, 0, 0], [NAN, NAN, NAN], [0, 1, 1], [0, NAN, 1], [0, 0, 0]], dtype=torch.float64)
RATIOS = [0.6336, 0.2416, 0.0048]
COUNTS = [396, 20, 3]
TOTAL = 625
CLIPS_WITH_A_LABEL = 4


class Known(NamedTuple):
    """A label that is known."""

    clip: int
    action: int
    logit: float
    label: float


#: The eleven known labels of the batch.
KNOWN = [
    Known(i, j, z, y)
    for i, (zs, ys) in enumerate(zip(LOGITS.tolist(), LABELS.tolist(), strict=True))
    for j, (z, y) in enumerate(zip(zs, ys, strict=True))
    if y == y
]


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def probability_of_label(z: float, y: float) -> float:
    return sigmoid(z) if y else 1 - sigmoid(z)


def cross_entropy(z: float, y: float) -> float:
    return -math.log(probability_of_label(z, y))


def shown(clip: int) -> list[int]:
    """Actions that a clip is known to show."""
    return [action for action, label in enumerate(LABELS[clip].tolist()) if label == 1]
