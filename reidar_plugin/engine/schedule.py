r"""The papers' learning rate: a linear warm-up, then steps down."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reidar_plugin.errors import ConfigError

__all__ = ["WarmupSteps", "warmup_steps"]


def warmup_steps(
    epoch: int,
    warmup: int = 10,
    start: float = 0.01,
    milestones: Sequence[int] = (40, 70),
    gamma: float = 0.1,
) -> float:
    r"""What the base learning rate is multiplied with in an epoch, counted from 1.

    .. math::
        f(E) = \gamma^{\#\{m \in M : m \le E\}} \cdot
            \Bigl(s + (1 - s)\,\min\bigl(1, \tfrac{E}{W}\bigr)\Bigr)

    Reference: Re-ID-AR, section 5.1, after Luo et al. (bag of tricks). Not 3D Re-ID prints :math:`s = 0` (3.5e-5 in
    the first epoch); the released code and VPRFT have 0.01.

    Args:
        epoch: E, from 1.
        warmup: W, epochs until the full learning rate; 0 for none.
        start: s, where the warm-up would begin at epoch 0.
        milestones: M, epochs from which on the rate is multiplied with gamma.
        gamma: the factor of each milestone, > 0.
    """
    ramp = start + (1 - start) * min(1.0, epoch / warmup) if warmup else 1.0
    return ramp * gamma ** bisect_right(list(milestones), epoch)


class WarmupSteps(LRScheduler):
    """:func:`warmup_steps` as a schedule of torch: step it once at the end of each epoch.

    Args:
        optimizer: its ``initial_lr`` (or ``lr``) is the base; groups may differ.
        warmup, start, milestones, gamma: see :func:`warmup_steps`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup: int = 10,
        start: float = 0.01,
        milestones: Sequence[int] = (40, 70),
        gamma: float = 0.1,
    ) -> None:
        if warmup < 0 or not 0 <= start <= 1:
            raise ConfigError(
                f"a warm-up lasts >= 0 epochs and starts in 0..1, got {warmup} epochs from {start}"
            )
        if list(milestones) != sorted(milestones) or gamma <= 0:
            raise ConfigError(f"milestones must rise and gamma be > 0, got {list(milestones)} and {gamma}")
        self.warmup, self.start, self.milestones, self.gamma = warmup, start, list(milestones), gamma
        super().__init__(optimizer)

    def get_lr(self) -> list[Any]:
        """Learning rate of each group in the epoch after ``last_epoch`` whole ones."""
        factor = warmup_steps(self.last_epoch + 1, self.warmup, self.start, self.milestones, self.gamma)
        return [base * factor for base in self.base_lrs]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over how far it was; what it is like, the config says."""
        own = {name: getattr(self, name) for name in ("warmup", "start", "milestones", "gamma", "base_lrs")}
        super().load_state_dict({**state_dict, **own})

    def go_to(self, epochs: int) -> None:
        """Make it as it is after so many epochs."""
        self.last_epoch = epochs
        self._last_lr = self.get_lr()
        for group, rate in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            group["lr"] = rate
