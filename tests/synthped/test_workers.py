"""Several processes draw the same set as one, and an interrupted run goes on."""

import io
import os
import signal
from pathlib import Path

import pytest

from reidar_plugin.synthped import PRESETS, make, workers
from reidar_plugin.synthped.plan import plan_mars
from tests.synthped.digests import TABLES, digest


def test_the_number_of_workers_does_not_matter(mars: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    other = make(tmp_path, "tiny", workers=2, progress=lambda done, total: calls.append((done, total)))
    assert digest(other, "bbox_train", "bbox_test", *TABLES) == digest(
        mars, "bbox_train", "bbox_test", *TABLES
    )
    frames = len(list(mars.rglob("*.jpg")))
    assert calls[0] == (0, frames)
    assert calls[-1] == (frames, frames)
    assert calls == sorted(calls)


def test_an_interrupted_run_goes_on(mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_UNIT_FRAMES", 100)

    def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, "tiny", workers=1, progress=interrupt)
    assert not (tmp_path / "mars").exists()  # nobody takes half of it for all of it
    drawn = {path: path.stat().st_mtime_ns for path in (tmp_path / ".mars.part").rglob("*.jpg")}
    assert drawn
    calls: list[int] = []
    home = make(tmp_path, "tiny", workers=1, progress=lambda done, _: calls.append(done))
    assert calls[0] > 100  # what was drawn is not drawn again
    assert digest(home, "bbox_train", "bbox_test", *TABLES) == digest(
        mars, "bbox_train", "bbox_test", *TABLES
    )
    kept = [
        path
        for path, time in drawn.items()
        if (home / path.relative_to(tmp_path / ".mars.part")).stat().st_mtime_ns == time
    ]
    assert len(kept) > len(drawn) / 2
    assert not (tmp_path / ".mars.part").exists()


def test_a_bar_is_drawn_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr", terminal)
    calls: list[tuple[int, int]] = []
    make(tmp_path, "tiny", people=8, workers=1, progress=lambda done, total: calls.append((done, total)))
    assert "drawing SynthPed:   0%" in terminal.getvalue()
    assert f"0/{calls[0][1]}" in terminal.getvalue()


def test_units_are_all_tracklets_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_UNIT_FRAMES", 100)
    plan = plan_mars(PRESETS["tiny"], 0)
    units = workers._units(plan)
    assert [shot for unit in units for shot in unit] == plan.shots
    frames = [sum(shot.length for shot in unit) for unit in units]
    longest = max(shot.length for shot in plan.shots)
    assert len(units) > 4
    assert all(100 <= count < 100 + longest for count in frames[:-1])


def test_stretches_by_hand() -> None:
    actions = ["walking", "walking", "riding", "riding", "riding"]
    assert list(workers._stretches(actions, [False, False, False, True, True])) == [
        (1, 2, "walking", 0),
        (3, 3, "riding", 0),
        (4, 5, "riding", 1),
    ]


def test_cores_are_those_of_this_process() -> None:
    assert 1 <= workers.cores() <= (os.cpu_count() or 1)


def test_a_worker_ends_quietly_where_sigterm_means_ctrl_c() -> None:
    """A pool ends its workers by SIGTERM, and a worker begins with the handlers of its parent."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        workers._start_worker(None)  # type: ignore[arg-type]
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
        workers._WRITER.clear()
