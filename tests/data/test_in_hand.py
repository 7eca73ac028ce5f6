"""What a worker had in hand when the system ended it."""

import os
import signal
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset

from reidar_plugin.data import loader
from reidar_plugin.data.in_hand import InHand, left_by
from reidar_plugin.data.loader import FrameReader
from reidar_plugin.launch import script
from tests.dead_workers import error_of

DEADLY = "mars/bbox_train/0007/ä name, with spaces.jpg"


def test_the_last_note_counts() -> None:
    notes = InHand()
    for path in ("a long path.jpg", "short", "x" * 2000):
        notes.note(3, path)
        assert notes.of(os.getpid()) == path[-488:]
        assert left_by(os.getpid()) == path[-488:]
    notes.note(3)
    assert notes.of(os.getpid()) == left_by(os.getpid()) == ""


class Clips(Dataset[Any]):
    """Clips of one tracklet each, read by a reader of ours."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths, self.reader = paths, FrameReader(4, 2)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, item: int) -> Any:
        return self.reader.read([([self.paths[item]], np.zeros(1, int))], 1)


def read(paths: Sequence[str], *_: Any) -> int:
    if paths[0] == DEADLY:
        os.kill(os.getpid(), signal.SIGKILL)
    return 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_the_system_kills_leaves_the_picture(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "read_clip", read)
    clips = Clips([f"{number}.jpg" for number in range(5)] + [DEADLY])
    # numbers alone come back: frames that are on their way when a worker dies are an error of their own
    error = error_of(DataLoader(clips, num_workers=workers, multiprocessing_context="fork", collate_fn=len))
    line = script.error_line(error)
    assert line is not None
    assert f"was ended from outside, while it read the clip that begins with {DEADLY}, as by" in line
