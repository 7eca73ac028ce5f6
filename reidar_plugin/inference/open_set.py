"""Who is this, or nobody we know: the nearest of a gallery, and whether a calibration takes that for the same person."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.inference.calibration import Calibration, CalibrationError
from reidar_plugin.inference.gallery import Gallery, Match, Where
from reidar_plugin.inference.gallery_rows import GalleryModel

__all__ = ["USUAL_RATE", "Limit", "Verdict", "who_is"]

USUAL_RATE = 0.01  #: of false alarms


class Limit(NamedTuple):
    """Up to where the nearest of a gallery is taken for the person who is asked for."""

    distance: float
    rate: float  #: of strangers who are then taken for somebody of the gallery, 0 to 1
    calibration: Calibration

    @classmethod
    def of(cls, calibration: Calibration, rate: float | None = None) -> "Limit":
        """The limit at a rate of false alarms: :data:`USUAL_RATE`, or the lowest that can be told, if none is given."""
        if rate is None:
            rate = max(USUAL_RATE, calibration.lowest_rate)
        return cls(calibration.known_up_to(rate), rate, calibration)

    def check(self, model: GalleryModel) -> None:
        """Refuse a gallery of another model or metric."""
        self.calibration.check(model.fingerprint, model.width)
        if self.calibration.metric != model.metric:
            raise CalibrationError(
                f"the calibration is of {self.calibration.metric} distances, the gallery's are {model.metric}; "
                "calibrate this model"
            )

    def words(self, rows: int) -> str:
        """What it means in a gallery of so many tracklets."""
        size = len(self.calibration.strangers)
        larger = (
            f"; the gallery holds {rows:,} tracklets, the calibration {size:,}: nearer strangers, more false alarms"
            if rows > 2 * size
            else ""
        )
        return f"known up to {self.distance:.4g} ({self.calibration.metric}), {self.rate:.3g} of strangers too{larger}"


class Verdict(NamedTuple):
    """The answer for one who is asked for."""

    nearest: Match | None  #: None where nobody is in the gallery
    known: bool
    false_alarms: float  #: of how many strangers the same would be said, 0 to 1

    @property
    def who(self) -> str:
        """The identity, or the tracklet where that has none; empty for nobody we know."""
        return (self.nearest.row.identity or self.nearest.row.id) if self.known and self.nearest else ""


def who_is(
    gallery: Gallery,
    features: Sequence[NDArray[Any]],
    limit: Limit,
    where: Where | None = None,
    itself: str = "",
) -> list[Verdict]:
    """Ask for some people, each for itself.

    Args:
        gallery: of the calibration's model.
        features: ``(D,)`` of each.
        limit: up to where they count as known.
        where: only these rows.
        itself: id of a row that is no answer, for it is who is asked for.
    """
    limit.check(gallery.model)
    found = []
    for feature in features:
        nearest = next((match for match in gallery.search(feature, 2, where) if match.row.id != itself), None)
        distance = np.inf if nearest is None else nearest.distance
        rate = float(limit.calibration.false_alarms(np.array(distance)))
        found.append(Verdict(nearest, nearest is not None and distance <= limit.distance, rate))
    return found
