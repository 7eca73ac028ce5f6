"""What a worker had in hand when the system ended it."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from torch.utils.data import Dataset
from torch.utils.data._utils import signal_handling

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


@pytest.fixture
def no_other_loader() -> Iterator[None]:
    """As in a process in which no loader but ours has ever had workers: torch's answer to their end would stay."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGCHLD, before)


@pytest.mark.usefixtures("no_other_loader")
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


def test_a_loader_of_others_hears_of_a_killed_worker_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch sets that up once in a process."""
    monkeypatch.setattr(loader, "said_if_slow", lambda batches, _: batches)
    monkeypatch.setattr(signal_handling, "_SIGCHLD_handler_set", False)
    clips: Any = Clips(["a.jpg"])
    before = signal.getsignal(signal.SIGCHLD), signal_handling._SIGCHLD_handler_set
    batches = iter(ClipLoader(clips, [[0]], workers=1, start_method="fork"))
    assert (signal.getsignal(signal.SIGCHLD), signal_handling._SIGCHLD_handler_set) == before
    batches._shutdown_workers()


@pytest.fixture
def switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_a_note_that_ends_while_all_are_read(switching: None) -> None:
    """What is left of it is no number of a process."""
    notes = InHand()
    ended, reads = threading.Event(), 0

    def work() -> None:
        while not ended.is_set():
            notes.note(0, "a.jpg")
            notes.note(0)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        while reads < 2000:
            assert notes.all() in ([], ["a.jpg"])
            reads += 1
    finally:
        ended.set()
        worker.join()
