"""Values and gradients of the released Re-ID-AR losses, from the shared figures."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from reidar_plugin.losses import (
    action_centre_loss,
    binary_cross_entropy,
    erasing_loss,
    identity_centre_loss,
    ranked_list_loss,
    smoothed_cross_entropy,
    weighted_binary_cross_entropy,
)

FIGURES = Path(__file__).resolve().parents[2] / "../shared/golden/losses.json"
RATIOS = [n / 625 for n in (396, 20, 151, 33, 3, 5, 14, 3)]

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        not FIGURES.exists(), reason="the table of released figures is not beside the checkout"
    ),
]


def normal(seed: int, *shape: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def integers(seed: int, high: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, high, 32))


FEATURES = normal(11, 32, 256) + 0.8 * normal(12, 8, 256).repeat_interleave(4, dim=0)
PIDS = torch.arange(8).repeat_interleave(4)
LABELS = F.one_hot(integers(17, 8), 8).float()
LOGITS = normal(16, 32, 8)


def agree(name: str, value: Tensor, learnt: Sequence[Tensor] = ()) -> None:
    """The value, and the norm of its gradient to each tensor, against the figures of that name."""
    figures: list[Any] = json.loads(FIGURES.read_text())[name]
    found = [value.detach()]
    if learnt:
        found += [gradient.norm() for gradient in torch.autograd.grad(value, learnt)]
    assert len(found) == len(figures)
    torch.testing.assert_close(torch.stack(found), torch.tensor(figures), rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ("name", "margin", "alpha", "temperature", "normalise"),
    [
        ("rll_1.3_2.0_1_norm", 1.3, 2.0, 1.0, True),
        ("rll_0.4_1.2_10_norm", 0.4, 1.2, 10.0, True),
        ("rll_1.3_2.0_1_raw", 1.3, 2.0, 1.0, False),
    ],
)
def test_ranked_list(name: str, margin: float, alpha: float, temperature: float, normalise: bool) -> None:
    x = FEATURES.clone().requires_grad_()
    numbers = {"margin": margin, "alpha": alpha, "temperature": temperature}
    agree(name, ranked_list_loss(x, PIDS, **numbers, positives="all", normalise=normalise), [x])


def test_identity_centre() -> None:
    x, centres = FEATURES.clone().requires_grad_(), normal(13, 8, 256).requires_grad_()
    agree("center", identity_centre_loss(x, PIDS, centres), [x, centres])


@pytest.mark.parametrize(("name", "spread"), [("xent_ls_K625", "classes"), ("xent_ls_K32", "batch")])
def test_smoothed_cross_entropy(name: str, spread: Any) -> None:
    x = (3 * normal(14, 32, 625)).requires_grad_()
    agree(name, smoothed_cross_entropy(x, integers(15, 625), 0.1, spread), [x])


def test_binary_cross_entropy() -> None:
    agree("bce", binary_cross_entropy(LOGITS, LABELS))


@pytest.mark.parametrize(("name", "slip"), [("wbce_logits", False), ("wbce_code_on_probs", True)])
def test_weighted_binary_cross_entropy(name: str, slip: bool) -> None:
    agree(name, weighted_binary_cross_entropy(LOGITS, LABELS, RATIOS, slip))


def test_action_centre() -> None:
    hidden = normal(18, 32, 8, 512).requires_grad_()
    agree("action_center", action_centre_loss(hidden, LABELS, normal(19, 8, 512), "summed"), [hidden])


def test_erasing() -> None:
    erased = torch.from_numpy(np.random.default_rng(21).random((32, 4)) < 0.5)
    agree("erasing_code", erasing_loss(normal(20, 32, 4).abs(), erased, "sum"))


def test_every_figure_is_compared() -> None:
    assert len(json.loads(FIGURES.read_text())) == 11
