r"""How the two sides of the objective pull at the backbone that they share.

With :math:`g_1` and :math:`g_2` the gradients of the identity side and of the action side, weights included, on the
parameters of the backbone: their norms, and their cosine, which is below 0 where one side undoes what the other does.
"""

import torch
from torch import Tensor, nn
from torch.amp import GradScaler

from reidar_plugin.errors import ConfigError
from reidar_plugin.losses.objective import Objective
from reidar_plugin.losses.side_weights import SIDES
from reidar_plugin.ranks.collectives import average
from reidar_plugin.structures import JointOutput, Targets

__all__ = ["GradientConflict"]


class GradientConflict:
    """Measures the two gradients every so many steps, and repeats in between what it measured last.

    Args:
        network: the network of the training step, not compiled, since its graph is walked more than once.
        objective: the objective, whose ``diagnose`` is the number of steps between two measurements.
    """

    names = ("identity_gradient", "action_gradient", "gradient_cosine")

    def __init__(self, network: nn.Module, objective: Objective) -> None:
        base = getattr(network, "base", None)
        if not isinstance(base, nn.Module) or hasattr(network, "_orig_mod"):
            raise ConfigError(
                "reidar.loss.diagnose walks the graph of a joint model more than once, which a compiled one does not "
                "allow: set reidar.train.compile False or reidar.loss.diagnose 0"
            )
        self.base, self.objective, self.steps = base, objective, 0
        self.last: Tensor | None = None

    def __call__(self, output: JointOutput, targets: Targets, scaler: GradScaler) -> Tensor:
        """The values of :attr:`names`, float32 ``(3,)``; call it before the backward pass, which it leaves possible."""
        if self.last is None or self.steps % self.objective.diagnose == 0:
            self.last = self._measure(output, targets, scaler)
        self.steps += 1
        return self.last

    def _measure(self, output: JointOutput, targets: Targets, scaler: GradScaler) -> Tensor:
        shared = [parameter for parameter in self.base.parameters() if parameter.requires_grad]
        if not shared:  # while train.fixbase_epoch holds the backbone
            return next(self.base.parameters()).new_zeros(3, dtype=torch.float32)
        sides = self.objective.sides(output, targets)
        gradients = []
        for side in SIDES:
            value = scaler.scale(sides[side])
            parts = torch.autograd.grad(
                value, shared, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            average(parts)
            gradients.append(torch.cat([part.flatten().float() for part in parts]) / scaler.get_scale())
        first, second = gradients
        cosine = torch.cosine_similarity(first, second, dim=0)
        return torch.stack([first.norm(), second.norm(), cosine])
