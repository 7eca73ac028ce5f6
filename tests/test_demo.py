"""The demo stopped by hand; what it shows when it is let alone is seen by running it (``make demo``)."""

from pathlib import Path
from typing import Any

import pytest
import torch

from reidar_plugin import demo, launch

CONFIG = Path(__file__).parents[1] / "configs/demo.yaml"


@pytest.fixture(autouse=True)
def threads_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo sets their number for the whole process."""
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)


def raising(stop: BaseException) -> Any:
    def stopped(*args: Any, **given: Any) -> Any:
        raise stop

    return stopped


@pytest.mark.parametrize("where", ["drawing", "training"])
def test_ctrl_c_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    monkeypatch.setattr(
        demo, "make", raising(KeyboardInterrupt()) if where == "drawing" else lambda *a, **g: None
    )
    monkeypatch.setattr(launch, "run", raising(SystemExit(130)))  # as an engine that has saved
    with pytest.raises(SystemExit) as stop:
        demo.run_demo(CONFIG, tmp_path)
    assert stop.value.code == 130
    assert capsys.readouterr().out.endswith(
        f"\nstopped; the same command goes on from there. What was done is in {tmp_path}\n"
    )


def test_no_other_exit_is_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "make", lambda *a, **g: None)
    monkeypatch.setattr(launch, "run", raising(SystemExit(2)))
    with pytest.raises(SystemExit) as stop:
        demo.run_demo(CONFIG, tmp_path)
    assert stop.value.code == 2
    assert "stopped" not in capsys.readouterr().out
