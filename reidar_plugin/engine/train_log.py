"""What is read of the steps: lines in the log, TensorBoard scalars, the stop at a value that is not finite."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from torch.utils.tensorboard import SummaryWriter

from reidar_plugin.engine.loss_ledger import LossLedger, NonFiniteLossError
from reidar_plugin.engine.pace import Pace
from reidar_plugin.engine.reporting import write_scalars
from reidar_plugin.io.console import say
from reidar_plugin.io.progress import progress

__all__ = ["Journal"]

T = TypeVar("T")


class Journal:
    """Follows training epoch by epoch.

    Args:
        ledger: takes the values of the steps.
        learning_rate: of the moment.
        last_checkpoint: in words, for the error.
    """

    def __init__(
        self, ledger: LossLedger, learning_rate: Callable[[], float], last_checkpoint: Callable[[], str]
    ) -> None:
        self.ledger, self.learning_rate, self.last_checkpoint = ledger, learning_rate, last_checkpoint
        self.pace = Pace()
        self.epoch = self.epochs = self.batches = 0
        self._latest: dict[str, float] = {}

    def follow(self, batches: Iterable[T], epoch: int, epochs: int, total: int, done: int) -> Iterator[T]:
        """The batches of an epoch, timed, under a progress bar.

        Args:
            batches: those that are left.
            epoch: from 0.
            epochs: of the whole run.
            total: batches of the whole epoch.
            done: those before.
        """
        self.epoch, self.epochs, self.batches = epoch, epochs, total
        self.pace.restart()
        return progress(f"epoch {epoch + 1}/{epochs}", self.pace.timed(batches), total, done)

    def settle(self, writer: SummaryWriter | None) -> None:
        """Read the pending steps.

        Raises:
            NonFiniteLossError: one is not finite; the message has the term, the tracklets, the last checkpoint.
        """
        try:
            steps = self.ledger.settle()
        except NonFiniteLossError as error:
            raise NonFiniteLossError(
                f"epoch {self.epoch + 1}: {error}; last good checkpoint: {self.last_checkpoint()}; "
                "lower train.lr, set reidar.train.clip, or look at these tracklets"
            ) from None
        for step, values in steps:
            self._latest = values
            scalars = {f"Train/{name}": value for name, value in values.items()}
            pace = {
                "Train/time": self.pace.step,
                "Train/data": self.pace.data,
                "Train/lr": self.learning_rate(),
            }
            write_scalars(writer, {**scalars, **pace}, self.epoch * self.batches + step)

    def print(self, done: int) -> None:
        """A line in the host's form; settle first.

        Args:
            done: steps of the epoch so far.
        """
        means = self.ledger.means()
        losses = "\t".join(f"{name} {value:.4f} ({means[name]:.4f})" for name, value in self._latest.items())
        left = self.batches - done + (self.epochs - self.epoch - 1) * self.batches
        say(
            f"epoch: [{self.epoch + 1}/{self.epochs}][{done}/{self.batches}]\t"
            f"{self.pace.words(left)}\t{losses}\tlr {self.learning_rate():.6f}"
        )
        self.pace.restart()

    def end_epoch(self) -> dict[str, float]:
        """What the history keeps of the epoch; settle first."""
        row = {"epoch": self.epoch + 1, "lr": self.learning_rate(), **self.ledger.means()}
        self.ledger.start_epoch()
        return row
