r"""What a trained model says of a tracklet, from what it says of the tracklet's clips.

A tracklet of n frames is cut into C clips of T frames. With the feature :math:`f_c` of clip c, its likelihoods
:math:`p_c` and the weight :math:`a_{ct}` that its t-th frame has in it, which is frame :math:`i_{ct}` of the tracklet,

.. math::
    f = \frac{1}{C} \sum_c f_c, \qquad p = \frac{1}{C} \sum_c p_c, \qquad
    w_j = \frac{1}{C} \sum_{c, t:\ i_{ct} = j} a_{ct}

as a test of the model averages; of a model with several branches (TCLNet) each branch's part of f is then brought to
length 1. A frame that occurs twice in a clip, as in the last one of a tracklet, has both weights;
one that no clip holds weighs 0.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["ClipOutputs", "Prediction", "PredictionMean", "average", "balanced"]


class Prediction(NamedTuple):
    """What the model says of n frames of one person."""

    feature: NDArray[np.float32]  #: ``(D,)``, what retrieval compares
    actions: NDArray[np.float32]  #: ``(M,)`` likelihoods; empty without an action network
    attention: NDArray[np.float32]  #: ``(n,)`` weight of each frame in the feature, sum 1
    action_attention: NDArray[np.float32] | None
    """``(M, n)`` weight of each frame in each action, sums 1; None where actions read the feature."""
    frames: int  #: n


class ClipOutputs(NamedTuple):
    """What the model says of B clips."""

    feature: NDArray[np.float32]  #: ``(B, D)``
    actions: NDArray[np.float32]  #: ``(B, M)``
    attention: NDArray[np.float32]  #: ``(B, T)``
    action_attention: NDArray[np.float32] | None = None  #: ``(B, M, T)``

    def take(self, clips: Sequence[int] | slice) -> "ClipOutputs":
        """Some of the clips."""
        return ClipOutputs(*(None if field is None else field[clips] for field in self))  # type: ignore[arg-type]


class PredictionMean:
    """Mean over the clips of one tracklet, taken as they come; sums are float64, as in a test.

    Args:
        branches: parts of the mean feature that are then brought to length 1; 1 leaves it as it is.
    """

    def __init__(self, branches: int = 1) -> None:
        self.clips, self.branches = 0, branches
        self._feature: NDArray[np.float64] | float = 0.0
        self._actions: NDArray[np.float64] | float = 0.0
        self._weights: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []  # (k, T) and (k, 1 + M, T)

    def add(self, outputs: ClipOutputs, places: NDArray[np.int64]) -> None:
        """Take in k clips.

        Args:
            outputs: what the model says of them.
            places: ``(k, T)``, which frame of the tracklet each of their frames is.
        """
        self.clips += len(places)
        self._feature = self._feature + outputs.feature.sum(axis=0, dtype=np.float64)
        self._actions = self._actions + outputs.actions.sum(axis=0, dtype=np.float64)
        weights = outputs.attention[:, None]
        if outputs.action_attention is not None:
            weights = np.concatenate([weights, outputs.action_attention], axis=1)
        self._weights.append((places, weights))

    def result(self, frames: int) -> Prediction:
        """The mean.

        Args:
            frames: n, frames of the tracklet.
        """
        places = np.concatenate([each.ravel() for each, _ in self._weights])
        weights = np.concatenate(
            [each.swapaxes(0, 1).reshape(each.shape[1], -1) for _, each in self._weights], 1
        )
        shares = np.stack([np.bincount(places, row, minlength=frames) for row in weights])
        weighted = np.asarray(shares / self.clips, np.float32)  # (1 + M, n), or (1, n)
        return Prediction(
            balanced(np.asarray(self._feature / self.clips, np.float32), self.branches),
            np.asarray(self._actions / self.clips, np.float32),
            weighted[0],
            weighted[1:] if len(weighted) > 1 else None,
            frames,
        )


def balanced(feature: NDArray[np.float32], branches: int) -> NDArray[np.float32]:
    """A feature ``(D,)`` with each branch's part at length 1; that of one branch as it is."""
    if branches == 1:
        return feature
    parts = feature.reshape(branches, -1)
    return (parts / np.maximum(np.linalg.norm(parts, axis=1, keepdims=True), 1e-12)).ravel()


def average(predictions: Sequence[Prediction], branches: int = 1) -> Prediction:
    """One prediction for the frames of several clips, in their order, as that of a tracklet is made from its clips.

    Args:
        predictions: of clips, from ``Predictor.predict_clips``; each counts the same.
        branches: of the model, see :class:`PredictionMean`.
    """
    if not predictions:
        raise ValueError("expected at least one prediction to average, got none")
    count = len(predictions)
    seen = [each.action_attention for each in predictions if each.action_attention is not None]
    feature = np.mean([each.feature for each in predictions], axis=0, dtype=np.float64)
    return Prediction(
        balanced(np.asarray(feature, np.float32), branches),
        np.asarray(np.mean([each.actions for each in predictions], axis=0, dtype=np.float64), np.float32),
        np.concatenate([each.attention for each in predictions]) / np.float32(count),
        np.concatenate(seen, axis=1) / np.float32(count) if seen else None,
        sum(each.frames for each in predictions),
    )
