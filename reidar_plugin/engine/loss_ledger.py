"""The values of every step, kept on the device until they are read, and checked when they are."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from reidar_plugin.errors import ReidarError

__all__ = ["LossLedger", "NonFiniteLossError", "StepValues"]


class NonFiniteLossError(ReidarError, ArithmeticError):
    """A loss term or the gradient became infinite or NaN."""


class StepValues(NamedTuple):
    """A step as it was read."""

    step: int  #: place in the epoch, from 0
    values: dict[str, float]


class LossLedger:
    """Steps whose values nobody has read yet, and the means of those that were, over the epoch.

    Reading makes the host wait for the device, so it is done every so many steps; a value that is not finite is
    found then, and told with the batch that it came from.

    Args:
        names: of the values of a step.
        name_tracklet: what to call the tracklet at a place of the training list.
        unchecked: names that may be infinite (the gradient under a scaler, which skips such steps).
    """

    def __init__(
        self, names: Sequence[str], name_tracklet: Callable[[int], str], unchecked: Sequence[str] = ()
    ) -> None:
        self.names, self.name_tracklet, self.unchecked = tuple(names), name_tracklet, set(unchecked)
        self._pending: list[tuple[int, Tensor, Tensor]] = []
        self.start_epoch()

    def start_epoch(self) -> None:
        """Forget the means."""
        self.sums, self.count = [0.0] * len(self.names), 0

    def add(self, step: int, tracklets: Tensor, values: Tensor) -> None:
        """Note a step.

        Args:
            step: its place in the epoch.
            tracklets: int64 ``(B,)``, on the CPU.
            values: ``(len(names),)``, left where it is.
        """
        self._pending.append((step, tracklets, values))

    def settle(self) -> list[StepValues]:
        """Read what is pending, in order.

        Raises:
            NonFiniteLossError: a value is not finite; of the first such step, terms before their sum.
        """
        if not self._pending:
            return []
        rows = torch.stack([values for _, _, values in self._pending]).tolist()
        steps = []
        for (step, tracklets, _), row in zip(self._pending, rows, strict=True):
            self._check(step, tracklets, row)
            self.sums = [total + value for total, value in zip(self.sums, row, strict=True)]
            self.count += 1
            steps.append(StepValues(step, dict(zip(self.names, row, strict=True))))
        self._pending.clear()
        return steps

    def means(self) -> dict[str, float]:
        """Mean of each value over the steps of the epoch that were read."""
        return {name: total / max(self.count, 1) for name, total in zip(self.names, self.sums, strict=True)}

    def state_dict(self) -> dict[str, Any]:
        """The running sums; settle first."""
        return {"names": list(self.names), "sums": list(self.sums), "count": self.count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with the sums of an interrupted epoch; those of other terms are left."""
        if tuple(state["names"]) == self.names:
            self.sums, self.count = list(state["sums"]), int(state["count"])

    def _check(self, step: int, tracklets: Tensor, row: list[float]) -> None:
        for name, value in zip(self.names, row, strict=True):
            if not math.isfinite(value) and name not in self.unchecked:
                people = sorted({self.name_tracklet(place) for place in tracklets.tolist()})
                raise NonFiniteLossError(
                    f"{name} is {value} at step {step + 1}; tracklets {', '.join(people)}"
                )
