"""Every tool ends in the same ways: it runs under the one guard."""

import multiprocessing
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from reidar_plugin.launch import guard
from tests.standin import REPO

TOOLS = sorted((Path(__file__).resolve().parents[2] / "tools").glob("*.py"))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.stem)
def test_runs_under_the_guard(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Callable[[], object]] = []

    def told(launch: Callable[[], object], ranks: bool = False) -> int:
        given.append(launch)
        assert ranks == (tool.stem == "main")
        return 77

    monkeypatch.setattr(guard, "guard", told)
    monkeypatch.setattr("sys.argv", [str(tool)])
    monkeypatch.syspath_prepend(str(tool.parent))
    monkeypatch.setattr(multiprocessing, "set_start_method", lambda _: None)
    with warnings.catch_warnings(), pytest.raises(SystemExit) as ended:
        runpy.run_path(str(tool), run_name="__main__")
    assert ended.value.code == 77
    [main] = given
    assert main.__name__ == "main"
    assert main.__code__.co_filename == str(tool)


def test_there_are_many() -> None:
    assert len(TOOLS) > 20


LOADED_BEFORE = """
import os, runpy, sys
sys.path.insert(0, os.path.dirname(sys.argv[1]))
for tool in sys.argv[1:]:
    sys.argv = [tool]
    runpy.run_path(tool, run_name="read")
    if {"numpy", "tqdm"} & sys.modules.keys():
        sys.exit(f"{tool} is not under the guard while it imports")
"""


def test_nothing_that_takes_seconds_is_imported_before_the_guard() -> None:
    """numpy stands for all: torch, torchreid, OpenCV and the package's own modules that work bring it. tqdm takes tenths."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED_BEFORE, *map(str, TOOLS)],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("signal", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_while_a_tool_imports(signal: str, status: int, tmp_path: Path) -> None:
    """It comes in the midst of a module that stands where torch does."""
    (tmp_path / "torch.py").write_text(
        f"import signal\nsignal.raise_signal(signal.{signal})\nraise SystemExit('torch went on')\n"
    )
    tool = [
        sys.executable,
        "-c",
        AS_A_SCRIPT,
        str(tmp_path),
        "tools/calibrate.py",
        "model",
        "street",
        "out.json",
    ]
    done = subprocess.run(tool, cwd=REPO, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "stopped\n")


AS_A_SCRIPT = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
_, stands_in, *sys.argv = sys.argv
sys.path.insert(1, stands_in)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
