"""Several processes draw the same set as one, and an interrupted run goes on."""

import errno
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import UnwritableFileError
from reidar_plugin.synthped import PRESETS, make, stamp, workers
from reidar_plugin.synthped.plan import Shot, plan_mars
from tests.standin import REPO
from tests.synthped.digests import TABLES, digest

LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="asks Linux who the children are, and ends them with their parent"
)


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


def test_what_a_power_cut_emptied_is_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes with nothing or something else in them, a picture that is cut off, and one that is gone."""
    small: dict[str, Any] = {"people": 4, "size": (16, 16), "workers": 1}
    whole = make(tmp_path / "whole", "tiny", **small)
    monkeypatch.setattr(workers, "_UNIT_FRAMES", 20)
    units: list[list[Shot]] = []
    bundles = workers._units
    monkeypatch.setattr(workers, "_units", lambda plan: units.extend(bundles(plan)) or units[:])
    so_far: list[int] = []

    def interrupt(done: int, total: int) -> None:
        so_far.append(done)
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, "tiny", progress=interrupt, **small)
    part = tmp_path / ".mars.part"
    for number, note in enumerate((b"", b"a,b", b"\xff\xfe\0")):
        (part / workers._UNITS / f"00000{number}.csv").write_bytes(note)
    (part / workers._UNITS / "other.csv").write_bytes(b"a")
    cut, gone = (part / units[number][-1].folder / units[number][-1].name(2) for number in (3, 4))
    cut.write_bytes(cut.read_bytes()[:-1])
    gone.unlink()
    units.clear()
    calls: list[int] = []
    home = make(tmp_path, "tiny", progress=lambda done, _: calls.append(done), **small)
    assert calls[0] == so_far[-1] - so_far[5]  # the other units are not drawn again
    assert digest(home, "bbox_train", "bbox_test", *TABLES) == digest(
        whole, "bbox_train", "bbox_test", *TABLES
    )


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


@pytest.fixture
def street(tmp_path: Path) -> "Iterator[subprocess.Popen[str]]":
    """The tool at work in a session of its own, with two processes that draw the first of many units."""
    command = [sys.executable, "-c", DRAW, str(tmp_path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=REPO, text=True, start_new_session=True, **pipes) as process:
        assert process.stdout is not None
        while len(list(tmp_path.rglob("*.jpg"))) < 20:
            assert process.poll() is None
            time.sleep(0.01)
        yield process
        process.kill()


DRAW = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from reidar_plugin.launch.guard import guard
from reidar_plugin.synthped import make
sys.exit(guard(lambda: make(sys.argv[1], "tiny", people=40, size=(16, 16), workers=2) and None))
"""


def drawing(street: "subprocess.Popen[str]") -> list[int]:
    """The processes that draw."""
    return list(map(int, Path(f"/proc/{street.pid}/task/{street.pid}/children").read_text().split()))


def test_ctrl_c_in_a_terminal_is_one_word(street: "subprocess.Popen[str]") -> None:
    """It reaches the processes that draw as well."""
    os.killpg(street.pid, signal.SIGINT)
    assert street.communicate(timeout=60)[1] == "stopped\n"
    assert street.returncode == 130


@LINUX
def test_one_that_the_system_kills_is_one_line(street: "subprocess.Popen[str]") -> None:
    one = drawing(street)[0]
    os.kill(one, signal.SIGKILL)
    said = street.communicate(timeout=60)[1]
    assert said.startswith(f"error: process {one}, which draws, was ended from outside")
    assert (said.count("\n"), street.returncode) == (1, 2)


@LINUX
def test_none_goes_on_behind_one_that_was_killed(street: "subprocess.Popen[str]", tmp_path: Path) -> None:
    """It would hold the lock for as long as it draws."""
    assert len(drawing(street)) == 2
    street.kill()
    street.wait()
    with stamp.locked(tmp_path / "mars"):
        assert len(list((tmp_path / ".mars.part" / workers._UNITS).glob("*.csv"))) < 3


def test_an_error_of_a_process_is_that_of_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_UNIT_FRAMES", 100)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(workers._UnitWriter, "write", full)
    with pytest.raises(UnwritableFileError, match=r"mars.*No space left on device; what was drawn stays"):
        make(tmp_path, "tiny", workers=2)
