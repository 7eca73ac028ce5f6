"""People over cameras, and the nearest others, against what the colours say."""

from pathlib import Path

import numpy as np

from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.identify import Seen, features_of, identify, nearest_others
from tests.inference.recognised import made_up_found, made_up_summary

GATE, YARD = Camera("gate", Path("gate.avi")), Camera("yard", Path("yard.avi"), start=100.0)
FEATURES = [[1, 0, 0], [0.9, 0.1, 0], [0, 0, 1], [0, 0.1, 1]]


def seen(threshold: float | None) -> list[Seen]:
    a, b, c, d = (
        made_up_summary(n, feature=np.array(each, np.float32)) for n, each in enumerate(FEATURES, start=1)
    )
    return identify(
        [made_up_found(GATE, a, b), made_up_found(YARD, c, d._replace(start=50.0, end=51.0))],
        threshold,
        "euclidean",
    )


def test_nobody_is_joined_without_a_threshold() -> None:
    assert [one.person for one in seen(None)] == [1, 2, 3, 4]


def test_who_is_seen_at_once_is_not_one_person() -> None:
    people = [one.person for one in seen(0.1)]
    assert people == [1, 2, 3, 3]  # the first two are as alike, but stand side by side


def test_keys_times_and_scores() -> None:
    one = seen(None)[2]
    assert (one.key, one.start, one.end, one.score) == ("yard/3", 100.4, 101.3, 0.5)
    assert features_of(seen(None)).tolist() == np.array(FEATURES, np.float32).tolist()


def test_nearest_are_of_other_people() -> None:
    rows, distances = nearest_others(seen(0.1), "euclidean", count=2)
    assert rows[0, 0] == 1
    np.testing.assert_allclose(distances[0, 0], 0.02, atol=1e-6)
    assert rows[2].tolist() == [1, 0]  # not the fourth, who is the same person
    rows, distances = nearest_others(seen(9.0)[2:], "euclidean")
    assert np.isinf(distances).all()


def test_nobody() -> None:
    assert identify([], 0.5, "cosine") == []
    assert features_of([]).shape == (0, 0)
    assert nearest_others([], "cosine")[0].shape == (0, 0)
