"""What is noted of training steps: printed lines, TensorBoard scalars, means, and the stop at a value that is not finite."""

import datetime
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from reidar_plugin.engine.reporting import write_scalars
from reidar_plugin.errors import ReidarError
from reidar_plugin.io.console import say
from reidar_plugin.io.progress import progress

__all__ = ["NonFiniteLossError", "Pace", "TrainLog"]

T = TypeVar("T")


class NonFiniteLossError(ReidarError, ArithmeticError):
    """A loss term or the gradient became infinite or NaN."""


class Pace:
    """Seconds a step takes, and how many of them it waits for its batch.

    Both are means over the steps since the last :meth:`restart`: on a GPU a single step is over before the device has
    done it.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin to measure anew."""
        self._start, self._waited, self._steps = time.monotonic(), 0.0, 0

    def timed(self, batches: Iterable[T]) -> Iterator[T]:
        """Pass the batches on, and measure how long each was waited for."""
        source = iter(batches)
        while True:
            before = time.monotonic()
            try:
                batch = next(source)
            except StopIteration:
                return
            self._waited += time.monotonic() - before
            self._steps += 1
            yield batch

    @property
    def step(self) -> float:
        """Seconds a step."""
        return (time.monotonic() - self._start) / max(self._steps, 1)

    @property
    def data(self) -> float:
        """Seconds of a step that were spent waiting for data."""
        return self._waited / max(self._steps, 1)


class TrainLog:
    """The log of training: takes the values of each step, and prints, averages, checks and plots them.

    Values stay on the device until :meth:`read` is called, because reading makes the host wait for the device. A value
    that is not finite is found then, and told with the step and the tracklets that it came from.

    Its state, the sums of the running epoch, is part of a checkpoint.

    Args:
        names: names of the values of a step.
        tracklets: frame paths of each tracklet of the training list; errors name it by its key, or its first frame.
        learning_rate: gives the learning rate of the moment.
        last_checkpoint: names the last good checkpoint, for the error.
        unchecked: names of values that may be infinite (the gradient under a scaler, which skips such steps).
    """

    def __init__(
        self,
        names: Sequence[str],
        tracklets: Sequence[Sequence[str]],
        learning_rate: Callable[[], float],
        last_checkpoint: Callable[[], str],
        unchecked: Iterable[str] = (),
    ) -> None:
        self.names, self.unchecked = tuple(names), frozenset(unchecked)
        self.tracklets, self.learning_rate = tracklets, learning_rate
        self.last_checkpoint = last_checkpoint
        self.pace = Pace()
        self.epoch = self.epochs = self.batches = 0
        self._unread: list[tuple[int, Tensor, Tensor]] = []
        self._latest: dict[str, float] = {}
        self._sums, self._count = [0.0] * len(self.names), 0

    def follow(self, batches: Iterable[T], epoch: int, epochs: int, total: int, done: int) -> Iterator[T]:
        """Pass the batches of an epoch on, timed, under a progress bar.

        Args:
            batches: those that are left of the epoch.
            epoch: number of the epoch, from 0.
            epochs: number of epochs of the whole run.
            total: number of batches of the whole epoch.
            done: number of batches of the epoch that were done before.
        """
        self.epoch, self.epochs, self.batches = epoch, epochs, total
        self.pace.restart()
        return progress(f"epoch {epoch + 1}/{epochs}", self.pace.timed(batches), total, done)

    def add(self, step: int, tracklets: Tensor, values: Tensor) -> None:
        """Note a step; nothing waits for the device.

        Args:
            step: index of the step in its epoch.
            tracklets: int64 ``(B,)``, index of each clip's tracklet in the training list, on the CPU.
            values: ``(len(names),)``, on any device.
        """
        self._unread.append((step, tracklets, values))

    def read(self, writer: SummaryWriter | None = None) -> None:
        """Read the steps that were added since the last time, in order: check them, sum them up, plot them.

        Args:
            writer: writer of TensorBoard scalars; None for none.

        Raises:
            NonFiniteLossError: a value is not finite; the message has the first such step and value, terms before their
                sum, the tracklets and the last checkpoint.
        """
        if not self._unread:
            return
        rows = torch.stack([values for _, _, values in self._unread]).tolist()
        for (step, tracklets, _), row in zip(self._unread, rows, strict=True):
            self._check(step, tracklets, row)
        steps = [step for step, _, _ in self._unread]
        self._unread.clear()
        for step, row in zip(steps, rows, strict=True):
            self._sums = [total + value for total, value in zip(self._sums, row, strict=True)]
            self._count += 1
            self._latest = dict(zip(self.names, row, strict=True))
            self._plot(writer, step)

    def means(self) -> dict[str, float]:
        """Mean of each value over the steps of the epoch that were read."""
        return {name: total / max(self._count, 1) for name, total in zip(self.names, self._sums, strict=True)}

    def print(self, done: int) -> None:
        """Print a line in the host's form; read first.

        Args:
            done: number of steps of the epoch so far.
        """
        means = self.means()
        losses = "\t".join(f"{name} {value:.4f} ({means[name]:.4f})" for name, value in self._latest.items())
        left = self.batches - done + (self.epochs - self.epoch - 1) * self.batches
        eta = datetime.timedelta(seconds=int(self.pace.step * left))
        say(
            f"epoch: [{self.epoch + 1}/{self.epochs}][{done}/{self.batches}]\t"
            f"time {self.pace.step:.3f}\tdata {self.pace.data:.3f}\teta {eta}\t"
            f"{losses}\tlr {self.learning_rate():.6f}"
        )
        self.pace.restart()

    def end_epoch(self) -> dict[str, float]:
        """Close the epoch, whose steps have been read; returns what the history of the run keeps of it."""
        row = {"epoch": self.epoch + 1, "lr": self.learning_rate(), **self.means()}
        self._sums, self._count = [0.0] * len(self.names), 0
        return row

    def state_dict(self) -> dict[str, Any]:
        """Sums of the steps of the epoch that were read; read first."""
        return {"names": list(self.names), "sums": list(self._sums), "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with the sums of an interrupted epoch; those of other terms are left aside.

        Raises:
            ValueError: there are more or fewer sums than terms.
        """
        if tuple(state["names"]) == self.names:
            if len(state["sums"]) != len(self.names):
                raise ValueError(f"{len(state['sums'])} sums of {len(self.names)} terms")
            self._sums, self._count = list(state["sums"]), int(state["count"])

    def _check(self, step: int, tracklets: Tensor, row: Sequence[float]) -> None:
        for name, value in zip(self.names, row, strict=True):
            if not math.isfinite(value) and name not in self.unchecked:
                people = sorted({self._name(index) for index in tracklets.tolist()})
                raise NonFiniteLossError(
                    f"epoch {self.epoch + 1}: {name} is {value} at step {step + 1}; tracklets {', '.join(people)}; "
                    f"last good checkpoint: {self.last_checkpoint()}; "
                    "lower train.lr, set reidar.train.clip, or look at these tracklets"
                )

    def _name(self, index: int) -> str:
        paths = self.tracklets[index]
        return getattr(paths, "key", "") or paths[0]

    def _plot(self, writer: SummaryWriter | None, step: int) -> None:
        scalars = {f"Train/{name}": value for name, value in self._latest.items()}
        scalars |= {
            "Train/time": self.pace.step,
            "Train/data": self.pace.data,
            "Train/lr": self.learning_rate(),
        }
        write_scalars(writer, scalars, self.epoch * self.batches + step)
