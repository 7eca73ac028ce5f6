import numpy as np
import pytest
import torch

from reidar_plugin.data.tracklet_table import PADDING, TrackletTable
from reidar_plugin.data.tracklets import Frames
from reidar_plugin.errors import ConfigError
from reidar_plugin.labels.attributes import attribute_space
from reidar_plugin.labels.spaces import ACTIONS3

SAMPLES = [
    (Frames(["a/1.jpg", "a/2.jpg"], "a", {"walking"}, {"hat=1"}), 7, 1, 0),
    (("b/1.jpg",), 8, 2, 0),
    (Frames(["c/1.jpg"], "c", set()), 7, 0, 0),
]
SPACES = ACTIONS3, attribute_space(["hat"])


def test_rows_are_those_of_the_samples() -> None:
    table = TrackletTable(SAMPLES, *SPACES)
    assert len(table) == 3
    assert table.paths == [("a/1.jpg", "a/2.jpg"), ("b/1.jpg",), ("c/1.jpg",)]
    for index, (frames, pid, camid, _) in enumerate(SAMPLES):
        assert (table.pids[index], table.camids[index]) == (pid, camid)
        labels = ACTIONS3.encode(getattr(frames, "labels", None))
        np.testing.assert_array_equal(table.labels[index].numpy(), labels)
        attributes = SPACES[1].encode(getattr(frames, "attributes", None))
        np.testing.assert_array_equal(table.attributes[index].numpy(), attributes)
    assert table.labels[:, 0].isnan().tolist() == [False, True, False]
    assert table.samples() == SAMPLES
    assert getattr(table.samples()[0][0], "labels", None) == {"walking"}


def test_without_spaces_there_are_no_columns() -> None:
    table = TrackletTable(SAMPLES)
    assert table.labels.shape == table.attributes.shape == (3, 0)


def test_a_batch_picks_rows_and_pads() -> None:
    table = TrackletTable(SAMPLES, *SPACES)
    frames = torch.zeros(3, 2, 8, 4, 3, dtype=torch.uint8)
    batch = table.batch(frames, [2, 0, PADDING])
    assert batch.frames is frames
    assert batch.tracklets.tolist() == [2, 0, -1]
    assert batch.pids.tolist() == [7, 7, -1]
    assert batch.camids.tolist() == [0, 1, -1]
    assert batch.labels[:2].tolist() == [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    assert batch.labels[2].isnan().all()
    assert batch.attributes[1].tolist() == [0.0, 1.0]
    assert batch.attributes[[0, 2]].isnan().all()


@pytest.mark.parametrize(
    ("sample", "error", "said"),
    [
        (((), 9, 2, 0), ConfigError, r"tracklet 1 \(pid 9, camid 2\) has no frames"),
        (("a.jpg", 0, 0, 0), TypeError, "tracklet 1: .* got 'a.jpg'; is it of an image dataset"),
        (3, TypeError, r"tracklet 1: expected \(paths, pid, camid, dsetid\), got 3"),
        (
            (Frames(["d/1.jpg"], "d", {"flying"}), 0, 0, 0),
            ConfigError,
            "tracklet 'd' of d/1.jpg: unknown label 'flying'",
        ),
    ],
)
def test_a_bad_sample_is_named(sample: object, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        TrackletTable([SAMPLES[0], sample], ACTIONS3)
