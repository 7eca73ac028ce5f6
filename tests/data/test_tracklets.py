"""Frames are the host's tuple of paths, and carry what they know wherever it takes them."""

import pickle
from copy import copy, deepcopy

import pytest

from reidar_plugin.data.tracklets import Frames


@pytest.mark.parametrize("labels", [None, set(), {"walking", "riding"}])
@pytest.mark.parametrize("how", [copy, deepcopy, lambda frames: pickle.loads(pickle.dumps(frames))])
def test_labels_survive_every_way_of_copying(labels: set[str] | None, how: object) -> None:
    frames = Frames(["a/1.jpg", "a/2.jpg"], "0001C1T0001", labels, ["hat=1"])
    again = how(frames)  # type: ignore[operator]
    assert type(again) is Frames
    assert again == ("a/1.jpg", "a/2.jpg")
    assert (again.key, again.labels, again.attributes) == ("0001C1T0001", labels, {"hat=1"})


def test_an_empty_set_is_not_unknown() -> None:
    assert Frames([], labels=[]).labels == frozenset()
    assert Frames([]).labels is None


def test_they_are_what_the_host_takes_for_paths() -> None:
    frames = Frames(["1.jpg", "2.jpg"], "k", {"walking"})
    assert isinstance(frames, tuple)
    assert not isinstance(frames, str)
    assert len(frames) == 2
    assert frames[1] == "2.jpg"
    assert hash(frames) == hash(("1.jpg", "2.jpg"))
    assert [*frames] == ["1.jpg", "2.jpg"]
