"""The frames of a tracklet; what is no tracklet is in test_predictor.py."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from reidar_plugin.inference.model_card import ModelCard
from reidar_plugin.inference.tracklet_frames import TrackletFrames

CARD = ModelCard("m", 6, 4, (0.5,) * 3, (0.5,) * 3, "linear", 3)


class Counted(Sequence[np.ndarray]):
    """Five pictures of one grey each, which count how often they are asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __len__(self) -> int:
        return 5

    def __getitem__(self, place: Any) -> Any:
        self.asked.append(place)
        return np.full((9, 7, 3), 50 * place, np.uint8)


def test_a_clip_reads_each_of_its_frames_once() -> None:
    source = Counted()
    frames = TrackletFrames(source, 0, CARD)
    clips = frames.clips()
    assert clips.tolist() == [[0, 1, 2], [3, 4, 3]]
    out = np.empty((3, 6, 4, 3), np.uint8)
    frames.read(clips[1], out)
    assert source.asked == [3, 4]
    assert [int(frame[0, 0, 0]) for frame in out] == [150, 200, 150]
    assert all((frame == frame[0, 0]).all() for frame in out)
