"""The demo stopped by hand; what it shows when it is let alone is seen by running it (``make demo``)."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from reidar_plugin import demo
from reidar_plugin.launch import runner, subprocesses

CONFIG = Path(__file__).parents[1] / "configs/demo.yaml"


@pytest.fixture(autouse=True)
def threads_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo sets their number for the whole process."""
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)


def raising(stop: BaseException) -> Any:
    def stopped(*args: Any, **given: Any) -> Any:
        raise stop

    return stopped


@pytest.mark.usefixtures("ctrl_c")  # where it is ignored, a run that has just begun would not hear of it
@pytest.mark.parametrize("where", ["drawing", "training"])
def test_ctrl_c_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    monkeypatch.setattr(
        demo, "make", raising(KeyboardInterrupt()) if where == "drawing" else lambda *a, **g: None
    )
    monkeypatch.setattr(runner, "run", raising(SystemExit(130)))  # as an engine that has saved
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
    monkeypatch.setattr(runner, "run", raising(SystemExit(2)))
    with pytest.raises(SystemExit) as stop:
        demo.run_demo(CONFIG, tmp_path)
    assert stop.value.code == 2
    assert "stopped" not in capsys.readouterr().out


@pytest.mark.parametrize("cores", [1, 2])
def test_rows_pictures_and_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    """Which run makes which row; two at once only where there are cores for both."""
    events: list[str] = []
    seen: dict[str, Any] = {}

    def run(cfg: Any) -> Any:
        name = Path(cfg.data.save_dir).name
        events.append(name)
        seen[name] = cfg
        return SimpleNamespace(config=cfg, datamanager=None, evaluator=name, outcome=name)

    @contextlib.contextmanager
    def beside(*runs: list[str], threads: int) -> Iterator[None]:
        seen["words"], seen["untrained"] = runs[0], subprocesses.merged(CONFIG, runs[1][2:])
        events.append("begin")
        yield
        events.append("end")

    def result(folder: Path) -> Any:
        row = {"metrics": {"rank-1": 0.1, "mAP": 0.1}, "protocol": "usual"}
        return SimpleNamespace(retrieval=[row], per_query={"0/pid": torch.tensor([1])}, name=folder.name)

    def drawn(evaluator: Any, outcome: Any, folder: Path, **distance: Any) -> list[Path]:
        seen["drawn"] = (evaluator, outcome, folder.name, distance)
        return []

    monkeypatch.setattr(demo, "make", lambda *a, **g: None)
    monkeypatch.setattr(demo, "cores", lambda: cores)
    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr(subprocesses, "beside", beside)
    monkeypatch.setattr(demo, "read_results", result)
    monkeypatch.setattr(demo, "draw_test", drawn)
    monkeypatch.setattr(demo, "_test_histograms", lambda data, folder: result(folder))
    monkeypatch.setattr(demo, "comparison_table", lambda rows, protocol: "")
    rows = demo.run_demo(CONFIG, tmp_path, options=["test.normalize_feature", "True", "train.seed", "7"])
    assert [row.name for row in rows.values()] == [
        "colour-histograms",
        "untrained",
        "without-actions",
        "joint",
    ]
    ran = ["begin", "joint", "end"] if cores > 1 else ["begin", "end", "joint"]
    assert events == ran
    assert seen["drawn"] == ("joint", "joint", "joint", {"metric": "cosine", "normalize": True})
    assert seen["untrained"].test.evaluate
    assert Path(seen["untrained"].data.save_dir) == tmp_path / "untrained"
    assert not seen["joint"].test.evaluate
    assert seen["joint"].reidar.model.num_actions == -1
    alone = subprocesses.merged(CONFIG, seen["words"][2:])
    assert seen["words"][:2] == ["--config-file", str(CONFIG)]
    assert alone.reidar.model.num_actions == 0
    assert Path(alone.data.save_dir) == tmp_path / "without-actions"
    assert alone.reidar.loss.terms == seen["joint"].reidar.loss.terms[:4]
    assert {cfg.train.seed for cfg in (alone, seen["joint"], seen["untrained"])} == {7}
