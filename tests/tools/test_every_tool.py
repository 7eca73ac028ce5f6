"""Every tool ends in the same ways: it runs under the one guard."""

import multiprocessing
import runpy
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from reidar_plugin.launch import guard

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
