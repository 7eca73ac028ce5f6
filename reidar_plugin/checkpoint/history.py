"""What a run remembers of itself from epoch to epoch."""

from dataclasses import asdict, dataclass, field
from typing import Any

from reidar_plugin.checkpoint.best import TestFigure
from reidar_plugin.checkpoint.store import Position
from reidar_plugin.io.console import say

__all__ = ["BestCheckpoint", "RunHistory"]


@dataclass(frozen=True)
class BestCheckpoint:
    """The best checkpoint so far."""

    value: float
    what: str  #: the figure, its protocol and the distance
    epoch: int  #: whole epochs at that time


@dataclass
class RunHistory:
    """Saved with every checkpoint."""

    history: list[dict[str, float]] = field(
        default_factory=list
    )  #: one an epoch: means of all values, learning rate
    tested: int = 0  #: whole epochs when the model was last tested; 0 for never
    rank1: float = 0.0  #: of that test
    best: BestCheckpoint | None = None

    def judge(self, verdict: TestFigure, epoch: int, rank1: float) -> tuple[BestCheckpoint, bool]:
        """Note a test. What was the best by another figure is no measure for this one: it is forgotten, aloud.

        Returns:
            The best so far, and whether it is this one.
        """
        self.tested, self.rank1 = epoch, rank1
        best = self.best
        if best is not None and best.what != verdict.what:
            say(
                f"the best so far, {best.what} {best.value:.2%} after {Position(best.epoch)}, is forgotten: "
                f"it is now judged by {verdict.what}"
            )
            best = None
        if best is None or verdict.value > best.value:
            best = self.best = BestCheckpoint(verdict.value, verdict.what, epoch)
        return best, best.epoch == epoch

    def state_dict(self) -> dict[str, Any]:
        """In plain values."""
        return asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Undo :meth:`state_dict`."""
        best = state["best"]
        self.history, self.tested, self.rank1 = (
            [dict(row) for row in state["history"]],
            state["tested"],
            state["rank1"],
        )
        self.best = None if best is None else BestCheckpoint(**best)
