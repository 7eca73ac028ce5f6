"""A disk that does not answer."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.data import loader, slow_reading
from reidar_plugin.data.loader import ClipLoader, FrameReader
from reidar_plugin.data.packed_clips import FullBatches, PackedClips, plan_clips
from reidar_plugin.data.slow_reading import _Patience, said_if_slow
from reidar_plugin.data.tracklet_table import TrackletTable
from reidar_plugin.errors import ReidarError
from reidar_plugin.ranks.job import Job


def said(out: str) -> list[str]:
    return [line.rpartition(": ")[2] for line in out.splitlines() if "waiting for pictures for" in line]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_disk_that_does_not_answer_is_said_with_the_clip(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(slow_reading, "SLOW", 0.2)
    slow = str(tmp_path / "slow.jpg")

    def read(paths: list[str], *_: object) -> int:
        deadline = time.monotonic() + 20
        while paths[0] == slow and not (tmp_path / "answers").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        return 0

    original = slow_reading._tell
    monkeypatch.setattr(slow_reading, "_tell", lambda line: (original(line), (tmp_path / "answers").touch()))
    monkeypatch.setattr(loader, "read_clip", read)
    paths = ["a.jpg", slow, "b.jpg"]
    table = TrackletTable([((path,), 1, 0, 0) for path in paths])
    clips = PackedClips(table, FrameReader(4, 2), plan_clips([1, 1, 1], 4))
    batches = ClipLoader(clips, FullBatches(3, 1), workers=workers, start_method="fork" if workers else "")
    assert [int(batch.tracklets[0]) for batch in batches] == [0, 1, 2]
    assert set(said(capsys.readouterr().out)) == {slow}
    assert not [thread for thread in threading.enumerate() if thread.name == "slow reading"]


def test_an_hour_is_few_lines_and_each_wait_is_a_new_one() -> None:
    patience = _Patience()
    lost = [second for second in range(3601) if patience.lost(0.0, float(second))]
    assert lost == [61, 121, 241, 481, 961, 1921]
    assert patience.lost(None, 4000.0) == 0  # the network's turn
    assert [second for second in range(4000, 4100) if patience.lost(4000.0, float(second))] == [4061]
    assert patience.lost(4200.0, 4310.0) == 110


def test_each_rank_says_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(slow_reading, "current", lambda: Job(1, 2, 1))
    slow_reading._tell("waiting for pictures for 60 seconds; clips being read, by their first: a.jpg")
    out, err = capsys.readouterr()
    assert (out, err.partition(":")[0]) == ("", "rank 1 of 2")


def test_an_iteration_that_is_given_up_leaves_no_thread() -> None:
    given = said_if_slow(iter(np.arange(3)), list)
    assert next(given) == 0
    assert [thread for thread in threading.enumerate() if thread.name == "slow reading"]
    given.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "slow reading"]


def test_an_output_that_takes_no_words_is_the_main_threads_to_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = threading.Event()

    def full(line: str) -> None:
        told.set()
        raise ReidarError("standard output cannot be written")

    monkeypatch.setattr(slow_reading, "SLOW", 0.05)
    monkeypatch.setattr(slow_reading, "say", full)
    monkeypatch.setattr(threading, "excepthook", lambda found: pytest.fail(str(found)))
    assert list(said_if_slow((wait(timeout=30) for wait in [told.wait]), list)) == [True]
