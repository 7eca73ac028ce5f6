"""The plan of a street: one place at a time, several people at once, and again in other cameras."""

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.synthped.people.looks import dress_all
from reidar_plugin.synthped.videos.street import Street, StreetSize, plan_street


def test_nobody_is_in_two_places_and_people_come_again(street: Street) -> None:
    stays: dict[int, list[tuple[float, float, int]]] = defaultdict(list)
    for visit in street.visits:
        start = street.starts[visit.camera - 1] + visit.start / street.size.rate
        stays[visit.person].append((start, start + len(visit) / street.size.rate, visit.camera))
    for stay in stays.values():
        stay.sort()
        for (_, end, _), (start, _, _) in pairwise(stay):
            assert start >= end + 2.5
    assert sum(len({camera for *_, camera in stay}) == 2 for stay in stays.values()) >= 4


def test_several_are_there_at_once(street: Street) -> None:
    for camera in (1, 2):
        counts = np.zeros(street.size.frames + 2000, int)
        for visit in street.visits:
            if visit.camera == camera:
                counts[max(visit.start, 0) : visit.start + len(visit)] += 1
        assert counts[: street.size.frames].max() >= 3


def test_tracks_count_the_visits_of_a_camera_in_order(street: Street) -> None:
    for camera in (1, 2):
        own = [visit for visit in street.visits if visit.camera == camera]
        assert [visit.track for visit in own] == list(range(1, len(own) + 1))
        assert [visit.start for visit in own] == sorted(visit.start for visit in own)
        assert all(visit.start < street.size.frames and visit.start + len(visit) > 0 for visit in own)


def test_other_people_than_those_of_the_sets(street: Street) -> None:
    assert not set(street.looks) & set(dress_all(300, 0, "train"))
    assert not set(street.looks) & set(dress_all(300, 0, "test"))
    assert len(set(street.looks)) == street.size.people
    assert len(set(street.labels)) == 8


def test_another_seed_is_another_street(street: Street) -> None:
    again, other = plan_street(0, street.size), plan_street(1, street.size)
    assert [visit.start for visit in again.visits] == [visit.start for visit in street.visits]
    assert (again.looks, again.starts) == (street.looks, street.starts)
    assert other.looks != street.looks
    assert other.cameras != street.cameras


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"people": 0}, r"people must be 1 \.\.\. 4000, got 0"),
        ({"cameras": 7}, r"cameras must be 1 \.\.\. 6, got 7"),
        ({"seconds": 0.5}, "seconds must be .* got 0.5"),
        ({"rate": 2}, "rate must be .* got 2"),
        ({"size": (360, 641)}, r"even width .* got \(360, 641\)"),
        ({"size": (360, 200)}, r"got \(360, 200\)"),
    ],
)
def test_what_cannot_be_filmed(change: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        replace(StreetSize(), **change)  # type: ignore[arg-type]
