"""What a run remembers of its epochs and tests."""

from dataclasses import asdict, dataclass, field
from typing import Any

from reidar_plugin.checkpoint.best import BestCheckpoint, TestFigure
from reidar_plugin.checkpoint.store import Position
from reidar_plugin.io.console import say

__all__ = ["RunHistory"]


@dataclass
class RunHistory:
    """The epochs and tests of a run so far, saved with every checkpoint."""

    epochs: list[dict[str, float]] = field(default_factory=list)
    """Of each epoch its number from 1, the learning rate, and the means of all loss terms."""

    tested: int = 0
    """Whole epochs when the model was last tested; 0 for never."""

    rank1: float = 0.0
    """Rank-1 of that test."""

    thresholds: tuple[float, ...] = ()
    """Likelihoods from which on it took the actions for seen; empty where it judged none."""

    best: BestCheckpoint | None = None
    """The best checkpoint so far."""

    def add_test(
        self, figure: TestFigure, epoch: int, rank1: float, thresholds: tuple[float, ...] = ()
    ) -> tuple[BestCheckpoint, bool]:
        """Note a test. A best that was chosen by another figure cannot be compared: it is dropped, and that is said.

        Args:
            figure: the figure by which checkpoints are chosen.
            epoch: whole epochs when the test was made.
            rank1: rank-1 of the test, as the host keeps it.
            thresholds: those of the actions in that test.

        Returns:
            The best checkpoint so far, and whether it is this one.
        """
        self.tested, self.rank1, self.thresholds = epoch, rank1, thresholds
        best = self.best
        if best is not None and best.what != figure.what:
            say(
                f"the best so far, {best.what} {best.value:.2%} after {Position(best.epoch)}, is forgotten: "
                f"it is now judged by {figure.what}"
            )
            best = None
        if best is None or figure.value > best.value:
            best = self.best = BestCheckpoint(figure.value, figure.what, epoch)
        return best, best.epoch == epoch

    def forget_tests(self) -> None:
        """Forget what was tested and which checkpoint was the best, for a run that goes on in another folder."""
        self.tested, self.thresholds, self.best = 0, (), None

    def state_dict(self) -> dict[str, Any]:
        """The history in plain values."""
        best = None if self.best is None else asdict(self.best)
        return {
            "history": [dict(row) for row in self.epochs],
            "tested": self.tested,
            "rank1": self.rank1,
            "thresholds": list(self.thresholds),
            "best": best,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the history that :meth:`state_dict` gave.

        Raises:
            ValueError: it is none.
        """
        best = {"value": 0.0, "what": "", "epoch": 0, **(state["best"] or {})}
        numbers = [
            state["tested"],
            state["rank1"],
            best["value"],
            best["epoch"],
            *state.get("thresholds", ()),
        ]
        for row in state["history"]:
            numbers += [row["epoch"], row["lr"], *row.values()]
        if not all(type(number) in (int, float) for number in numbers) or not isinstance(best["what"], str):
            raise ValueError("its history holds something else than numbers")
        self.epochs = [dict(row) for row in state["history"]]
        self.tested, self.rank1 = state["tested"], state["rank1"]
        self.thresholds = tuple(state.get("thresholds", ()))  # older checkpoints have none
        self.best = None if state["best"] is None else BestCheckpoint(**state["best"])
