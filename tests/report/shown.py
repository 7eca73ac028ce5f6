"""Made-up tracklets and action results for pictures, and what tests read in pictures."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import ImageColor

from reidar_plugin.metrics.actions import evaluate_actions
from reidar_plugin.report.figures.canvas import Canvas
from reidar_plugin.report.figures.strips import ShownTracklet
from reidar_plugin.report.results import action_results

__all__ = ["ACTIONS", "MAGENTA", "area", "frames", "judged", "shown"]

ACTIONS = ("walking", "using_hands")
MAGENTA = "#ff00ff"


def frames(count: int, color: str = "#5a7896") -> list[np.ndarray]:
    """Frames of one colour."""
    return [np.full((32, 16, 3), ImageColor.getrgb(color), dtype=np.uint8)] * count


def shown(pid: int, given: tuple[str, ...] | None = ("walking",)) -> ShownTracklet:
    """A tracklet that the model takes for walking."""
    return ShownTracklet(frames(6), pid, 2, (0.9, 0.1), given)


def area(canvas: Canvas, color: str) -> int:
    """Pixels of exactly one colour."""
    return int((canvas.pixels() == ImageColor.getrgb(color)).all(axis=2).sum())


def judged(predicted: Sequence[int], given: Sequence[int]) -> dict[str, Any]:
    """Action results of tracklets, and of one more whose actions are unknown.

    Args:
        predicted: index of the action that is predicted for each tracklet; -1 for none.
        given: index of the action that each tracklet shows; -1 for none.
    """
    likelihoods = [[0.9 if index == one else 0.1 for index in range(len(ACTIONS))] for one in predicted]
    labels = [[float(index == one) for index in range(len(ACTIONS))] for one in given]
    return action_results(evaluate_actions([*likelihoods, [0.5, 0.5]], [*labels, [math.nan] * 2], ACTIONS))
