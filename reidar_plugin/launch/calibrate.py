"""From a model and the test people of a data set to what its distances mean."""

from collections.abc import Sequence

import numpy as np

from reidar_plugin.inference.calibration import Calibration, fit_calibration
from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.io.progress import progress
from reidar_plugin.metrics.distances import check_metric

__all__ = ["calibrate"]


def calibrate(
    predictor: Predictor,
    model: str,
    tracklets: Sequence[tuple[Sequence[str], int, int]],
    precision: float | None = None,
) -> Calibration:
    """Fit a calibration on tracklets of people whom the model was never trained on, across cameras.

    Args:
        predictor: the model.
        model: its fingerprint, see :func:`~reidar_plugin.inference.recognise.fingerprint_of`.
        tracklets: paths of the pictures, person and camera of each.
        precision: of pairs, that the threshold shall have; None for the best F1.
    """
    predictor = predictor.of_all_frames()  # as tools/recognise.py will ask it
    said = predictor(paths for paths, _, _ in tracklets)
    found = [each.feature for each in progress("features", said, len(tracklets))]
    features = np.stack(found) if found else np.empty((0, predictor.feature_size), np.float32)
    people, cameras = (np.array([row[column] for row in tracklets]) for column in (1, 2))
    return fit_calibration(
        features,
        people,
        cameras,
        model=model,
        cut=predictor.card.cut,
        metric=check_metric(predictor.distance),
        precision=precision,
    )
