"""What a worker had in hand when the system ended it."""

import os
import signal
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from torch.utils.data import Dataset

from reidar_plugin.data import loader
from reidar_plugin.data.in_hand import InHand, left_by
from reidar_plugin.data.loader import ClipLoader, FrameReader
from reidar_plugin.launch import script

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
    """Clips of one tracklet each, read by a reader of ours; frames on their way when a worker dies would be another."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths, self.reader = paths, FrameReader(4, 2)

    def __getitem__(self, item: int) -> int:
        return len(self.reader.read([([self.paths[item]], np.zeros(1, int))], 1))


def read(paths: Sequence[str], *_: Any) -> int:
    if paths[0] == DEADLY:
        os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_a_worker_that_the_system_kills_leaves_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told once, where the batch is waited for, and not while other things are done."""
    monkeypatch.setattr(loader, "read_clip", read)
    monkeypatch.setattr(loader, "said_if_slow", lambda batches, _: batches)
    clips: Any = Clips([*(f"{number}.jpg" for number in range(3)), DEADLY])
    batches = iter(ClipLoader(clips, [[number] for number in range(4)], workers=2, start_method="fork"))
    while all(worker.is_alive() for worker in batches._workers):
        time.sleep(0.01)
    for _ in range(100):  # the signal has come
        time.sleep(0.001)
    with pytest.raises(RuntimeError) as caught:
        list(batches)
    batches._shutdown_workers()
    line = script.error_line(caught.value)
    assert line is not None
    assert f"was ended from outside, while it read the clip that begins with {DEADLY}, as by" in line
