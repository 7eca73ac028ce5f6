"""One training step: forward, objective, backward; Adam on the model, SGD on the centres."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from reidar_plugin.engine.gradient_conflict import GradientConflict
from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.precision import Precision
from reidar_plugin.losses.objective import Objective
from reidar_plugin.losses.side_weights import Uncertainty
from reidar_plugin.ranks.collectives import average, copy_from_first
from reidar_plugin.ranks.outputs import gather_output
from reidar_plugin.structures import Targets

__all__ = ["TrainStep", "centre_optimizers"]


def centre_optimizers(objective: Objective, identity_lr: float = 0.5, action_lr: float = 0.1) -> list[SGD]:
    """Plain SGD on the centres, which :class:`Objective` hands over with their gradient freed of the loss weight.

    Args:
        objective: owns the centres.
        identity_lr: learning rate of the identity centres (Re-ID-AR, section 5.1).
        action_lr: learning rate of the action centres (the same section); 0 leaves them where they started, as the
            released code does.

    Returns:
        One for each kind of centres that the objective has, identities first; then that of learnt weights of the sides.
    """
    if min(identity_lr, action_lr) < 0:
        raise ConfigError(f"learning rates of centres must be >= 0, got {identity_lr} and {action_lr}")
    pairs = zip(objective.centres(), (identity_lr, action_lr), strict=True)
    made = [SGD(centres, lr=rate) for centres, rate in pairs if centres]
    sides = objective.side_weights
    return [*made, SGD(sides.parameters(), lr=sides.lr)] if isinstance(sides, Uncertainty) else made


class TrainStep:
    """What happens to the weights for one batch. Nothing in it waits for the device.

    Args:
        network: frames ``(B, T, 3, H, W)`` -> :class:`~reidar_plugin.structures.JointOutput`; may be compiled.
        objective: what is minimised, a function of the outputs and the targets.
        optimizers: the model's first, then those of the centres.
        precision: the precision in which the network runs.
        clip: greatest norm of the model's gradient; 0 for any.
    """

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        optimizers: Sequence[Optimizer],
        precision: Precision,
        clip: float = 0.0,
    ) -> None:
        if clip < 0:
            raise ConfigError(f"a gradient's norm is clipped at > 0 (0: not at all), got {clip}")
        self.network, self.objective, self.optimizers = network, objective, list(optimizers)
        self.precision, self.scaler, self.clip = precision, precision.scaler(), clip
        self.conflict = GradientConflict(network, objective) if objective.diagnose else None

    @property
    def names(self) -> tuple[str, ...]:
        """What the values of a step are: the terms, their weighted sum, the norm of the model's gradient, a diagnosis."""
        diagnosed = () if self.conflict is None else self.conflict.names
        return (*self.objective.losses, "loss", "gradient_norm", *diagnosed)

    @property
    def unchecked(self) -> tuple[str, ...]:
        """Those of them that may be infinite: under a scaler the gradient, whose step is skipped then."""
        gradients = ("gradient_norm", *self.names[self.names.index("gradient_norm") + 1 :])
        return gradients if self.scaler.is_enabled() else ()

    def parts(self) -> dict[str, Any]:
        """What has a state beside the model and its optimiser, by the names under which checkpoints keep it."""
        centres = {f"centres {index}": each for index, each in enumerate(self.optimizers[1:])}
        return {"objective": self.objective, "scaler": self.scaler, **centres}

    def __call__(self, frames: Tensor, targets: Targets) -> Tensor:
        """Learn from a batch; returns the values of :attr:`names`, float32, on the device.

        Args:
            frames: of this rank's part of the clips.
            targets: of all clips. Every rank computes the whole objective, from the outputs of all.
        """
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        with self.precision.autocast():
            output = gather_output(self.network(frames))
        total, terms = self.objective(output, targets)
        diagnosed = [] if self.conflict is None else [self.conflict(output, targets, self.scaler)]
        self.scaler.scale(total).backward()
        average(_gradients(self.network))
        copy_from_first(_gradients(self.objective))
        for optimizer in self.optimizers:
            self.scaler.unscale_(optimizer)
        norm = nn.utils.clip_grad_norm_(self._parameters(), self.clip or float("inf"))
        for optimizer in self.optimizers:
            self.scaler.step(optimizer)
        self.scaler.update()
        values = torch.stack([*terms.values(), total.detach(), norm]).float()
        return torch.cat([values, *diagnosed])

    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.optimizers[0].param_groups for parameter in group["params"]]


def _gradients(module: nn.Module) -> list[Tensor]:
    return [parameter.grad for parameter in module.parameters() if parameter.grad is not None]
