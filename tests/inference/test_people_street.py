"""From the truth of a tiny street to people: perfect with an oracle, worse with noise, worse without the constraint."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from reidar_plugin.inference.calibration import fit_calibration
from reidar_plugin.inference.people import cluster_people
from reidar_plugin.inference.tracks import Tracks
from reidar_plugin.metrics.identities import IdentityScores, PairScores, identity_scores, pair_scores
from reidar_plugin.synthped.videos.street import Street, StreetSize, plan_street
from reidar_plugin.synthped.videos.truth import tracks_of, truth_of

WIDTH = 16


class Tracklets(NamedTuple):
    """What is known of all tracks of all cameras, in order of camera, then track."""

    camera: NDArray[np.int64]
    track: NDArray[np.int64]
    person: NDArray[np.int64]
    first: NDArray[np.float64]
    last: NDArray[np.float64]


@pytest.fixture(scope="module")
def street() -> Street:
    return plan_street(3, StreetSize(people=12, cameras=3, seconds=60.0, rate=8, size=(96, 160)))


def tracklets_of(street: Street) -> Tracklets:
    rows = []
    person_of = {(visit.camera, visit.track): visit.person for visit in street.visits}
    for camera, start in enumerate(street.starts, start=1):
        tracks = tracks_of(street, camera)
        for track in tracks.ids.tolist():
            times = start + tracks.frame[tracks.track == track] / street.size.rate
            rows.append((camera, track, person_of[camera, track], times[0], times[-1]))
    camera, track, person, first, last = (np.array(column) for column in zip(*rows, strict=True))
    return Tracklets(camera, track, person, first, last)


def oracle(person: NDArray[np.int64], noise: float, seed: int = 0) -> NDArray[np.float64]:
    """A direction of its own for each person, and some noise for each tracklet."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(person.max() + 1, WIDTH))
    return centres[person] + noise * random.normal(size=(len(person), WIDTH))


def judged(street: Street, known: Tracklets, people: NDArray[np.int64]) -> tuple[PairScores, IdentityScores]:
    """The scores, with the people that were found as the ids of the boxes."""
    name = dict(
        zip(zip(known.camera.tolist(), known.track.tolist(), strict=True), people.tolist(), strict=True)
    )
    found: list[Tracks] = []
    for camera in (1, 2, 3):
        tracks = tracks_of(street, camera)
        found.append(
            replace(tracks, track=np.array([name[camera, track] for track in tracks.track.tolist()]))
        )
    true = [truth_of(street, camera).people() for camera in (1, 2, 3)]
    return pair_scores(people, known.person), identity_scores(found, true)


def found_with(known: Tracklets, features: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    return cluster_people(features, known.camera, known.first, known.last, threshold)


def test_an_oracle_finds_everybody(street: Street) -> None:
    known = tracklets_of(street)
    pairs, identities = judged(street, known, found_with(known, oracle(known.person, 0.0), 1.0))
    assert pairs == (1.0, 1.0, 1.0, 12, 12)
    assert identities.idf1 == 1.0
    assert identities.found > 1000
    assert len(known.person) > 30


def test_noise_costs(street: Street) -> None:
    known = tracklets_of(street)
    scores = []
    for noise in (0.2, 0.6, 1.2):
        others = np.repeat(np.arange(40), 6)  # people of the calibration, who are nobody of the street
        fit = fit_calibration(oracle(others, noise, seed=1), others, model="oracle")
        pairs, identities = judged(
            street, known, found_with(known, oracle(known.person, noise), fit.threshold)
        )
        scores.append((pairs.f1, identities.idf1))
    assert scores[0] == (1.0, 1.0)
    assert scores[0][1] > scores[1][1] > scores[2][1] > 0.1
    assert scores[0][0] > scores[1][0] > scores[2][0]


def test_the_constraint_keeps_twins_apart(street: Street) -> None:
    """All look alike in pairs; those of a pair who meet in one camera must not become one person."""
    known = tracklets_of(street)
    features = oracle((known.person + 1) // 2, 0.05)
    bound = found_with(known, features, 1.0)
    free = cluster_people(features, np.arange(len(features)), known.first, known.last, 1.0)
    meet = [
        (a, b)
        for a in range(len(features))
        for b in range(a)
        if known.camera[a] == known.camera[b]
        and known.first[a] <= known.last[b]
        and known.first[b] <= known.last[a]
        and (known.person[a] + 1) // 2 == (known.person[b] + 1) // 2
    ]
    assert meet
    assert all(bound[a] != bound[b] and free[a] == free[b] for a, b in meet)
    with_it, without = (judged(street, known, people)[0] for people in (bound, free))
    assert without.people_found == 6
    assert with_it.people_found > 6
    assert with_it.precision > without.precision
