"""From distances to answers: how probable one person is, up to where tracklets are joined, who is a stranger.

Fitted on labelled tracklets of people whom the model was never trained on, and only good for the model that gave their
features.
"""

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from reidar_plugin.errors import ReidarError, shown
from reidar_plugin.io.atomic import write_atomically
from reidar_plugin.io.ordinary import content_of
from reidar_plugin.io.plain_text import PlainTextError, parse_json
from reidar_plugin.metrics.distances import Metric, check_metric, pairwise_distances

__all__ = ["Calibration", "CalibrationError", "fit_calibration"]

_VERSION = 2


class CalibrationError(ReidarError, ValueError):
    """A calibration that cannot be fitted, read, or used with these features."""


@dataclass(frozen=True)
class Calibration:
    """What was learnt of a model's distances; :func:`fit_calibration` makes it."""

    model: str  #: fingerprint of the model, any text that differs between models
    cut: str  #: how tracklets were cut into clips, see :attr:`.ModelCard.cut`; empty where that is not known
    width: int  #: D of its features
    metric: Metric
    threshold: float  #: up to which two tracklets count as one person
    chosen_by: str  #: ``f1``, or the precision that was demanded
    precision: float  #: of pairs up to the threshold
    recall: float  #: of pairs up to the threshold
    slope: float  #: of the probability, above 0
    offset: float
    people: int  #: that it was fitted on
    tracklets: int  #: with another one of the same person to be found
    same_pairs: int  #: of one person
    other_pairs: int  #: of two people
    strangers: tuple[float, ...]  #: distance of each tracklet to the nearest of another person, ascending
    known: tuple[float, ...]  #: to the nearest of all where that is the same person, ascending

    def probability(self, distances: NDArray[Any]) -> NDArray[np.float64]:
        r"""Of being one person, for distances of any shape: :math:`1 / (1 + e^{s d - o})`, falling in d.

        It supposes that pairs of one person are as frequent as they were where it was fitted.
        """
        return expit(self.offset - self.slope * np.asarray(distances, np.float64))

    def false_alarms(self, nearest: NDArray[Any]) -> NDArray[np.float64]:
        r"""Of how many strangers it would be said that they are in the gallery, if these distances were enough.

        .. math::
            \frac{1 + \lvert \{ s : s \le d \} \rvert}{1 + S}

        "Known at 1 % false alarms" is a value of at most 0.01. It supposes a gallery of about as many tracklets as
        there were in the fit: a larger one has a nearer stranger.

        Args:
            nearest: distance of a query to the nearest of the gallery, any shape.
        """
        nearer = np.searchsorted(self.strangers, np.asarray(nearest, np.float64), side="right")
        return (1 + nearer) / (1 + len(self.strangers))

    @property
    def lowest_rate(self) -> float:
        """Of false alarms, that can be told from the strangers of the fit."""
        return 1 / (1 + len(self.strangers))

    def known_up_to(self, rate: float) -> float:
        """The largest distance of the fit at which no more than that rate of strangers is taken for known.

        Raises:
            CalibrationError: too few strangers were seen to tell so low a rate.
        """
        allowed = math.floor(rate * (1 + len(self.strangers)) + 1e-9) - 1
        if not 0 < rate <= 1 or allowed < 0:
            raise CalibrationError(
                f"a rate of {rate:g} false alarms: expected one from {self.lowest_rate:.4f} to 1 "
                "(--false-alarms); fit with more tracklets for lower ones"
            )
        limits = (*self.strangers, math.inf)
        return float(np.nextafter(limits[allowed], -np.inf)) if limits[allowed] < math.inf else math.inf

    def detection_rate(self, rate: float) -> float:
        """DIR: how many known people are found, and are the nearest, at that rate of false alarms in the fit."""
        return float(np.searchsorted(self.known, self.known_up_to(rate), side="right")) / self.tracklets

    def check(self, model: str, width: int, cut: str | None = None) -> None:
        """Refuse features that are not those of the fit.

        Args:
            model: fingerprint of the model that gave them.
            width: their D.
            cut: how their tracklets were cut; None not to compare it.
        """
        if width != self.width:
            raise CalibrationError(
                f"the calibration is for features {self.width} wide, got {width}; calibrate this model"
            )
        if model != self.model:
            raise CalibrationError(
                f"the calibration is for model {self.model}, got features of {model}; calibrate this model"
            )

        if cut is not None and cut != self.cut:
            raise CalibrationError(
                f"the calibration is for {self.cut or 'tracklets of which it does not say how they were cut'}, got "
                f"{cut}; calibrate anew"
            )

    def save(self, path: str | Path) -> None:
        """Write it as JSON, whole or not at all."""
        text = json.dumps({"version": _VERSION, **asdict(self)}, indent=1, allow_nan=False)
        write_atomically(Path(path), f"{text}\n".encode())

    @classmethod
    def load(cls, path: str | Path) -> "Calibration":
        """Read what :meth:`save` wrote.

        Raises:
            CalibrationError: the file is missing, no calibration, or one of its values cannot be.
        """
        try:
            told = parse_json(content_of(path))
        except OSError as error:
            raise CalibrationError(f"{path} cannot be read: {error.strerror or error}") from error
        except PlainTextError as error:
            raise CalibrationError(f"{path}: expected a calibration in JSON, got something else") from error
        if not isinstance(told, dict) or told.pop("version", None) != _VERSION:
            raise CalibrationError(
                f"{path}: expected a calibration of version {_VERSION}, got something else; calibrate anew"
            )
        names = {field.name for field in fields(cls)}
        if set(told) != names:
            raise CalibrationError(f"{path}: missing or unknown entries {shown(sorted(set(told) ^ names))}")
        lists = {name: tuple(told[name]) for name in ("strangers", "known") if isinstance(told[name], list)}
        found = cls(**{**told, **lists})
        if wrong := _wrong_entry(found):
            raise CalibrationError(
                f"{path}: {wrong} cannot be {shown(getattr(found, wrong))}; calibrate anew"
            )
        return found


def fit_calibration(
    features: NDArray[np.floating],
    people: NDArray[np.integer],
    cameras: NDArray[np.integer] | None = None,
    *,
    model: str,
    cut: str = "",
    metric: Metric = "euclidean",
    precision: float | None = None,
) -> Calibration:
    """Learn what distances mean from labelled tracklets.

    The probability is a logistic curve, fitted as Platt does, with targets that are not quite 0 and 1. The threshold is the
    one of the best F1 of pairs, or the largest of at least the demanded precision, in the middle between two distances.
    For the open set each tracklet asks for itself twice: in the gallery of all others, and without its own person.

    Args:
        features: ``(N, D)``.
        people: who each is, ``(N,)``; people whom the model was never trained on.
        cameras: camera of each, ``(N,)``; if given, tracklets of one camera are not compared, because the place alone
            makes them alike.
        model: fingerprint of the model.
        cut: how tracklets were cut into clips, ``predictor.card.cut``.
        metric: ``euclidean`` (squared) or ``cosine``.
        precision: that is demanded of pairs; None for the best F1.

    Raises:
        CalibrationError: no pair of one person or of two, distances that tell nothing, or a precision out of reach.
    """
    if not len(features) == len(people) == len(people if cameras is None else cameras):
        raise CalibrationError("expected a person, and a camera, for each feature; their numbers differ")
    if not len(features):
        raise CalibrationError(
            "expected tracklets of people who are searched for, got none; take another data set"
        )
    if precision is not None and not 0 < precision <= 1:
        raise CalibrationError(f"precision: expected one above 0, up to 1, got {precision:g}")
    vectors = torch.from_numpy(np.ascontiguousarray(features))
    distances = pairwise_distances(vectors, vectors, check_metric(metric)).numpy().astype(np.float64)
    same = people[:, None] == people[None, :]
    compared = ~np.eye(len(people), dtype=bool)
    if cameras is not None:
        compared &= cameras[:, None] != cameras[None, :]
    pairs = np.triu(compared)
    near, is_same = distances[pairs], same[pairs]
    if is_same.all() or not is_same.any():
        raise CalibrationError(
            f"expected pairs of one person and of two, got {is_same.sum()} and {(~is_same).sum()}; give more tracklets"
        )
    slope, offset = _logistic(near, is_same)
    threshold, reached, recall = _choose_threshold(near, is_same, precision)
    strangers = np.where(compared & ~same, distances, np.inf).min(axis=1)
    own = np.where(compared & same, distances, np.inf).min(axis=1)
    return Calibration(
        model=model,
        cut=cut,
        width=int(features.shape[1]),
        metric=metric,
        threshold=threshold,
        chosen_by="f1" if precision is None else f"precision {precision:g}",
        precision=reached,
        recall=recall,
        slope=slope,
        offset=offset,
        people=len(np.unique(people)),
        tracklets=int(np.isfinite(own).sum()),
        same_pairs=int(is_same.sum()),
        other_pairs=int((~is_same).sum()),
        strangers=tuple(np.sort(strangers[np.isfinite(strangers)]).tolist()),
        known=tuple(np.sort(own[own < strangers]).tolist()),
    )


def _logistic(distances: NDArray[np.float64], same: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of the likeliest curve, on standardised distances."""
    mean, spread = distances.mean(), distances.std()
    if not spread > 0:
        raise CalibrationError("all distances are equal: these features tell nobody apart")
    x = np.stack([-(distances - mean) / spread, np.ones_like(distances)])  # (2, P)
    hits, misses = int(same.sum()), int((~same).sum())
    target = np.where(same, (hits + 1) / (hits + 2), 1 / (misses + 2))

    def unlikely(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logit = weights @ x
        loss = np.logaddexp(0.0, logit) - target * logit
        return float(loss.mean()), x @ (expit(logit) - target) / len(target)

    start = np.array([0.0, math.log((hits + 1) / (misses + 1))])
    weights = minimize(unlikely, start, jac=True, method="BFGS", options={"gtol": 1e-8}).x
    if not weights[0] > 0:
        raise CalibrationError(
            "nearer tracklets are not more often one person: these features tell nobody apart"
        )
    return float(weights[0] / spread), float(weights[1] + weights[0] * mean / spread)


def _choose_threshold(
    distances: NDArray[np.float64], same: NDArray[np.bool_], demanded: float | None
) -> tuple[float, float, float]:
    """Threshold, and precision and recall of the pairs up to it."""
    order = np.argsort(distances, kind="stable")
    ordered, hits = distances[order], np.cumsum(same[order])
    precision, recall = hits / np.arange(1, len(order) + 1), hits / hits[-1]
    ends = np.append(np.diff(ordered) > 0, True)  # equal distances are taken together
    if demanded is None:
        good = ends
        best = int(
            np.argmax(np.where(ends, 2 * precision * recall / np.maximum(precision + recall, 1e-12), -1))
        )
    else:
        good = ends & (precision >= demanded)
        best = int(np.flatnonzero(good)[-1]) if good.any() else -1
    if not good.any():
        raise CalibrationError(
            f"no threshold has a precision of {demanded:g} of pairs; the best is {precision[ends].max():.4f}"
        )
    after = ordered[best + 1] if best + 1 < len(ordered) else ordered[best]
    return float((ordered[best] + after) / 2), float(precision[best]), float(recall[best])


def _wrong_entry(found: Calibration) -> str | None:
    """The first entry whose type or value cannot be."""
    kinds = get_type_hints(Calibration)
    for field in fields(found):
        value, kind = getattr(found, field.name), kinds[field.name]
        plain = (
            (int, float)
            if kind is float
            else kind
            if kind in (int, str)
            else str
            if kind == Metric
            else tuple
        )
        if not isinstance(value, plain) or isinstance(value, bool):
            return field.name
        numbers = value if isinstance(value, tuple) else (value,) if isinstance(value, int | float) else ()
        if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
            return field.name
    good = {
        "metric": found.metric in ("euclidean", "cosine"),
        "width": found.width > 0,
        "slope": found.slope > 0,
        "tracklets": found.tracklets >= max(1, len(found.known)),
        "strangers": len(found.strangers) > 0 and list(found.strangers) == sorted(found.strangers),
        "known": list(found.known) == sorted(found.known),
    }
    return next((name for name, right in good.items() if not right), None)
