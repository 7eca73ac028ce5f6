"""What reads the clip feature: the BN neck, the identity classifier and the action network."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError, InputError
from reidar_plugin.ranks.job import current

__all__ = [
    "ACTIVATIONS",
    "ActionNetwork",
    "Actions",
    "ShiftlessBatchNorm1d",
    "check_clips",
    "identity_classifier",
]

ACTIVATIONS = {"relu": 0.0, "leaky_relu": 0.1}  #: name -> slope below zero


class ShiftlessBatchNorm1d(nn.BatchNorm1d):
    """BN neck: batch normalisation ``(B, D) -> (B, D)`` whose shift is not trained.

    The shift is a buffer, not a frozen parameter: the host's ``open_all_layers`` sets ``requires_grad`` on every
    parameter at each epoch and would thaw it. Its name stays ``bias``, so that checkpoints of networks with a
    frozen one load.

    Reference: Luo et al., Bag of Tricks and a Strong Baseline for Deep Person Re-Identification, 2019.
    """

    def __init__(self, features: int) -> None:
        super().__init__(features)
        del self.bias
        self.register_buffer("bias", torch.zeros(features))

    def forward(self, features: Tensor) -> Tensor:
        check_clips(self, features)
        return super().forward(features)


def check_clips(layers: nn.Module, clips: Tensor) -> None:
    """Refuse a training batch ``(B, ...)`` of one clip for layers that normalise over the clips."""
    if layers.training and len(clips) * current().size < 2:
        raise InputError(
            "batch normalisation of clips needs at least 2 clips in a training batch, got 1: "
            "raise train.batch_size, or drop the last, smaller batch"
        )


def identity_classifier(features: int, num_classes: int) -> nn.Linear:
    """Linear ``(B, D) -> (B, K)`` without bias, drawn from N(0, 0.001) as in the papers' code."""
    classifier = nn.Linear(features, num_classes, bias=False)
    nn.init.normal_(classifier.weight, std=0.001)
    return classifier


class Actions(NamedTuple):
    """What the action network says of a batch of clips."""

    logits: Tensor  #: ``(B, M)`` before the sigmoid
    hidden: Tensor  #: ``(B, M, E)`` features inside the blocks, after dropout


class ActionNetwork(nn.Module):
    r"""M attention blocks, one an action: ``(B, D) ->`` logits ``(B, M)`` and hidden ``(B, M, E)``.

    ``(B, M, D)`` is a feature of its own for each action.

    .. math::
        h_m = \mathrm{dropout}(\sigma(\mathrm{BN}(W_m f + b_m))), \qquad z_m = v_m \cdot h_m + c_m

    The blocks share no weight, but they share their kernels: all :math:`W_m` lie in one matrix, all
    normalisations in one layer, so that the number of kernels does not grow with M.

    Reference: Alsehaim and Breckon, Re-ID-AR (ARN). The paper draws a ReLU, the released code has
    LeakyReLU(0.1).

    Args:
        features: D.
        num_actions: M.
        width: E, 512 in the paper.
        dropout: probability, 0.25 in the released code.
        activation: ``relu`` or ``leaky_relu`` (slope 0.1).
        gradient: whether actions train what made the feature; False takes the feature as it is.
    """

    def __init__(
        self,
        features: int,
        num_actions: int,
        *,
        width: int = 512,
        dropout: float = 0.25,
        activation: str = "relu",
        gradient: bool = True,
    ) -> None:
        super().__init__()
        if num_actions < 1:
            raise ConfigError(f"an action network needs at least 1 action, got {num_actions}")
        if activation not in ACTIVATIONS:
            raise ConfigError(f"unknown activation {activation!r}; choose one of {sorted(ACTIVATIONS)}")
        self.num_actions, self.width, self.gradient = num_actions, width, gradient
        self.project = nn.Linear(features, num_actions * width)
        self.norm = nn.BatchNorm1d(num_actions * width)
        self.activation = nn.LeakyReLU(ACTIVATIONS[activation])  # slope 0 is the plain ReLU
        self.dropout = nn.Dropout(dropout)
        self.weight = nn.Parameter(torch.empty(num_actions, width))
        self.bias = nn.Parameter(torch.zeros(num_actions))
        self._initialise()

    def _initialise(self) -> None:
        """He initialisation by one block's fan-out, N(0, 0.001) for its output, as in the papers' code."""
        nn.init.normal_(self.project.weight, std=(2 / self.width) ** 0.5)
        nn.init.zeros_(self.project.bias)
        nn.init.normal_(self.weight, std=0.001)

    def forward(self, feature: Tensor) -> Actions:
        feature = feature if self.gradient else feature.detach()
        if feature.dim() == 2:
            projected = self.project(feature)  # (B, M * E)
        else:
            kernels = self.project.weight.unflatten(0, (self.num_actions, self.width))  # (M, E, D)
            projected = torch.einsum("bmd,med->bme", feature, kernels).flatten(1) + self.project.bias
        hidden = self.dropout(self.activation(self.norm(projected)))
        hidden = hidden.unflatten(1, (self.num_actions, self.width))
        return Actions((hidden * self.weight).sum(dim=2) + self.bias, hidden)
