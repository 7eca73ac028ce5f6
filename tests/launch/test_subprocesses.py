"""Runs beside other work: what they print, how they end, and what stops them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import ConfigError, ReidarError
from reidar_plugin.launch import subprocesses
from tests.standin import REPO
from tests.warm import python, run_python


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every process that is started."""
    found: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen):
        def __init__(self, *args: Any, **given: Any) -> None:
            super().__init__(*args, **given)
            found.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    return found


#: Started by whoever does.
LAUNCH = subprocesses._LAUNCH.replace("STARTER", "__import__('os').getppid()")


def launches(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """In the place of a run: a few lines of Python, its words in ``sys.argv[1:]``."""
    monkeypatch.setattr(subprocesses, "_LAUNCH", f"import os, pathlib, sys, time\n{code}")


def test_it_runs_while_the_block_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the two waits for a file of the other."""
    launches(
        monkeypatch,
        "here = pathlib.Path(sys.argv[1])\n"
        "while not (here / 'block').exists(): time.sleep(0.01)\n"
        "(here / 'run').write_text(os.environ['OMP_NUM_THREADS'])",
    )
    with subprocesses.beside([str(tmp_path)], threads=3):
        (tmp_path / "block").touch()
        while not (tmp_path / "run").exists():
            time.sleep(0.01)
    assert (tmp_path / "run").read_text() == "3"


def test_it_is_waited_for_and_prints_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    launches(
        monkeypatch,
        "time.sleep(0.2); print('out'); print('err', file=sys.stderr); pathlib.Path(sys.argv[1]).touch()",
    )
    with subprocesses.beside([str(tmp_path / "done")], threads=1):
        pass
    assert (tmp_path / "done").exists()
    assert capfd.readouterr() == ("", "")


def test_a_failure_ends_with_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    launches(monkeypatch, "print('warning: odd\\nerror: no such file', file=sys.stderr); sys.exit(2)")
    with (
        pytest.raises(subprocesses.RunError, match=r"status 2: --root here: error: no such file$"),
        subprocesses.beside(["--root", "here"], threads=1),
    ):
        pass


def test_an_interrupted_run_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    launches(monkeypatch, "sys.exit(130)")
    with pytest.raises(SystemExit) as stop, subprocesses.beside([], threads=1):
        pass
    assert stop.value.code == 130


def test_it_does_not_outlive_a_block_that_fails(
    monkeypatch: pytest.MonkeyPatch, begun: list[subprocess.Popen[bytes]]
) -> None:
    launches(monkeypatch, "time.sleep(600)")
    with pytest.raises(ValueError, match="block"), subprocesses.beside([], threads=1):
        raise ValueError("block")
    assert [process.returncode for process in begun] == [-15]


SAVES = """
def save(number, frame):
    (here / 'signals').open('a').write('.')
    time.sleep(0.5)
    (here / 'saved').touch()
    sys.exit(130)
here = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGINT, save)
(here / 'ready').touch()
time.sleep(600)
"""

PARENT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started with it ignored
from pathlib import Path
from reidar_plugin.launch import subprocesses
subprocesses._LAUNCH = sys.argv[2]
if sys.argv[1] == 'start':
    subprocesses.start(sys.argv[3:])
elif sys.argv[1] == 'waiting':
    with subprocesses.beside(sys.argv[3:], threads=1): pass
else:
    with subprocesses.beside(sys.argv[3:], threads=1): time.sleep(600)
"""


@pytest.mark.parametrize("way", ["start", "waiting", "working"])
@pytest.mark.parametrize(
    "whom", ["the parent", "its group"]
)  # as an IDE's stop button, as a terminal's Ctrl-C
def test_ctrl_c_reaches_the_run_once_and_waits_for_it(tmp_path: Path, way: str, whom: str) -> None:
    launch = "import os, pathlib, signal, sys, time\n" + SAVES
    parent = python("-c", PARENT, way, launch, tmp_path, cwd=REPO)
    while not (tmp_path / "ready").exists():
        assert parent.is_alive()
        time.sleep(0.01)
    (os.kill if whom == "the parent" else os.killpg)(parent.pid, signal.SIGINT)
    parent.join()
    assert parent.exitcode == 130
    assert (tmp_path / "saved").exists()
    assert (tmp_path / "signals").read_text() == "."


def test_an_engine_that_was_stopped_stops_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launches(monkeypatch, f"import signal\n{SAVES}")

    def stopped() -> None:
        while not (tmp_path / "ready").exists():
            time.sleep(0.01)
        raise SystemExit(130)

    with pytest.raises(SystemExit) as stop, subprocesses.beside([str(tmp_path)], threads=1):
        stopped()
    assert stop.value.code == 130
    assert (tmp_path / "saved").exists()


def test_the_launch_line_is_a_run() -> None:
    done = run_python("-c", LAUNCH, "--help", cwd=REPO)
    assert done.returncode == 0
    assert "--config-file" in done.stdout


def test_a_run_can_be_interrupted_where_its_starter_cannot() -> None:
    """nohup, and a shell that puts a job aside, start it with Ctrl-C ignored; its runs would inherit that."""
    begin, launch, _ = LAUNCH.partition("from reidar_plugin.launch")
    assert launch
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    done = run_python("-c", f"{ignored}{begin}print(signal.getsignal(signal.SIGINT))", cwd=REPO)
    assert "default_int_handler" in done.stdout


def test_it_can_be_from_its_first_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    launches(monkeypatch, "import signal, sys; sys.exit(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        subprocesses.start([])
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected 2 or more configs .* got 0 before 'the end'"),
        (["a.yaml", "train.lr", "1", "b.yaml"], "got 1 before 'train.lr'"),
    ],
)
def test_configs_come_before_keys_and_values(words: list[str], said: str) -> None:
    assert subprocesses.configs_and_options(["a.yaml", "b.yml", "train.lr", "1"], least=2) == (
        ["a.yaml", "b.yml"],
        ["train.lr", "1"],
    )
    with pytest.raises(ConfigError, match=said):
        subprocesses.configs_and_options(words, least=2)


def test_command_line_of_a_run() -> None:
    words = subprocesses.arguments(
        "a.yaml", root="data", targets=["x", "y"], options=["train.lr", "1"], data__save_dir="log"
    )
    assert " ".join(words) == "-t x y --config-file a.yaml --root data train.lr 1 data.save_dir log"


def test_a_run_that_cannot_start_has_status_2(tmp_path: Path) -> None:
    words = subprocesses.arguments(tmp_path / "none.yaml")
    assert run_python("-c", LAUNCH, *words, cwd=REPO).returncode == 2


def test_a_run_that_fails_ends_the_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launches(monkeypatch, "sys.exit(2)")
    with pytest.raises(subprocesses.RunError, match=r"ended with status 2: --config-file .*none\.yaml"):
        subprocesses.start(subprocesses.arguments(tmp_path / "none.yaml"))
    with pytest.raises(ReidarError, match=r"holds no model-best\.pth\.tar"):
        subprocesses.best_checkpoint(tmp_path)


def test_a_key_without_effect_is_found_before_anything_runs(tmp_path: Path) -> None:
    config = tmp_path / "a.yaml"
    config.write_text("model: {name: reidar_osnet_x0_25}\nloss: {name: reidar}\n")
    assert subprocesses.merged(config, ["reidar.train.warmup", "3"]).reidar.train.warmup == 3
    with pytest.raises(ConfigError, match=r"train\.stepsize \[5\] \(command line\) has no effect"):
        subprocesses.merged(config, ["train.stepsize", "[5]"])


def test_runs_that_follow_each_other_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(subprocesses.runner, "main", ran.append)
    monkeypatch.setattr(sys, "argv", ["-c", "--root", "a", subprocesses.THEN, "--root", "b", "c.d", "1"])
    subprocesses.run_in_turn()
    assert ran == [["--root", "a"], ["--root", "b", "c.d", "1"]]
    quiet: list[list[str]] = []
    monkeypatch.setattr(subprocesses, "Quiet", lambda words, threads: quiet.append(words) or 1 / 0)
    with pytest.raises(ZeroDivisionError), subprocesses.beside(ran[0], ran[1], threads=1):
        pass
    assert quiet == [sys.argv[1:]]
