"""Counts and ratios against a plain loop; unknown ones are left out."""

import random

import numpy as np

from reidar_plugin.data.tracklets import Frames
from reidar_plugin.labels.attributes import attribute_space
from reidar_plugin.labels.counts import count_labels
from reidar_plugin.labels.spaces import ACTIONS3, ACTIONS8


def samples(count: int = 60) -> list[tuple[Frames, int, int, int]]:
    draw = random.Random(3)
    made = []
    for index in range(count):
        labels = None if index % 7 == 0 or index % 11 == 5 else draw.sample(ACTIONS8.names, draw.randrange(3))
        made.append((Frames((f"{index}.jpg",), str(index), labels), index % 11, 0, 0))
    return made


def test_tracklets_against_a_loop() -> None:
    known = [frames.labels for frames, *_ in samples() if frames.labels is not None]
    assert 0 < len(known) < 60
    expected = [sum(name in labels for labels in known) for name in ACTIONS8.names]
    counts = count_labels(samples(), ACTIONS8)
    assert counts.names == ACTIONS8.names
    assert counts.positives.tolist() == expected
    assert counts.known.tolist() == [len(known)] * 8
    assert counts.unknown == 60 - len(known)
    np.testing.assert_allclose(counts.ratios, np.array(expected) / len(known))


def test_people_against_a_loop() -> None:
    people: dict[int, set[str] | None] = {}
    for frames, pid, *_ in samples(20):
        before = people.get(pid)
        people[pid] = before if frames.labels is None else (before or set()) | frames.labels
    known = [labels for labels in people.values() if labels is not None]
    assert len(known) == 10 < len(people)  # of person 5 nothing is known; 0, 3 and 7 are known by half
    counts = count_labels(samples(20), ACTIONS8, by_person=True)
    assert counts.positives.tolist() == [sum(name in labels for labels in known) for name in ACTIONS8.names]
    assert counts.unknown == len(people) - len(known)


def test_merged_labels_count_once() -> None:
    frames = Frames(("1.jpg",), "1", {"trolley", "phone_to_ear", "walking"})
    assert count_labels([(frames, 0, 0, 0)], ACTIONS3).positives.tolist() == [1, 0, 1]


def test_plain_paths_are_unknown() -> None:
    counts = count_labels([(("1.jpg",), 0, 0, 0), (("2.jpg",), 1, 0, 0)], ACTIONS8)
    assert counts.unknown == 2
    assert counts.ratios.tolist() == [0.0] * 8


def test_no_samples() -> None:
    counts = count_labels([], ACTIONS8)
    assert counts.unknown == 0
    assert counts.positives.tolist() == [0] * 8


def test_attributes_count_by_group() -> None:
    space = attribute_space(["hat", "gender"])
    rows = [{"hat=1", "gender=0"}, {"hat=0"}, None]
    counts = count_labels([(Frames(("1.jpg",), "1", None, row), 0, 0, 0) for row in rows], space)
    assert counts.positives.tolist() == [1, 1, 1, 0]
    assert counts.known.tolist() == [2, 2, 1, 1]
    assert counts.unknown == 1
