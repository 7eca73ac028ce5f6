"""The report of a recognition: what was found, as the content of a page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.inference.identify import Seen, nearest_others
from reidar_plugin.report.page.content import Neighbour, PeopleReport, Picture, Sighting

__all__ = ["people_report"]

#: Distances to the probability that both are one person, each for itself.
Probability = Callable[[NDArray[np.float32]], NDArray[Any]]


def people_report(
    title: str,
    seen: Sequence[Seen],
    thresholds: Mapping[str, float],
    metric: str,
    facts: Mapping[str, str],
    probability: Probability | None = None,
    timed: bool = True,
) -> PeopleReport:
    """The content of the page.

    Args:
        title: its headline.
        seen: the tracklets.
        thresholds: of the actions, in the model's order.
        metric: of the features.
        facts: what else a reader should know.
        probability: of a calibration, if there is one.
        timed: whether times are known; of pictures they are not.
    """
    rows, distances = nearest_others(seen, metric)
    likely = None if probability is None else np.asarray(probability(distances))
    sightings = []
    for place, one in enumerate(seen):
        near = [
            Neighbour(
                seen[row].key,
                float(distances[place, at]),
                None if likely is None else float(likely[place, at]),
            )
            for at, row in enumerate(rows[place].tolist())
            if np.isfinite(distances[place, at])
        ]
        sightings.append(_sighting(one, list(thresholds), near))
    return PeopleReport(title, sightings, thresholds, any(one.camera.dated for one in seen), facts, timed)


def _sighting(one: Seen, actions: Sequence[str], near: Sequence[Neighbour]) -> Sighting:
    said, clock = one.summary, one.camera.start
    return Sighting(
        key=one.key,
        camera=one.camera.name,
        person=one.person,
        start=one.start,
        end=one.end,
        first_frame=said.first_frame + 1,
        last_frame=said.last_frame + 1,
        frames=said.frames,
        actions=dict(zip(actions, said.actions.tolist(), strict=True)),
        spans={
            name: [(clock + first, clock + last) for first, last in spans]
            for name, spans in zip(actions, said.spans, strict=True)
        },
        pictures=[
            Picture(shot.jpeg, shot.frame + 1, clock + shot.time, [actions[action] for action in shot.shows])
            for shot in said.shots
        ],
        nearest=near,
    )
