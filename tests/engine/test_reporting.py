"""What a run leaves behind: tables, results.json, TensorBoard scalars, a picture of training."""

import errno
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from reidar_plugin.checkpoint.history import RunHistory
from reidar_plugin.engine import reporting
from reidar_plugin.engine.reporting import draw_training
from reidar_plugin.engine.train_step import TrainStep
from reidar_plugin.errors import ReidarError
from tests.engine_rig import build, config, run


def scalars(save_dir: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(save_dir))
    events.Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]
    }


def test_writes_every_term_for_tensorboard(mars: Path, tmp_path: Path) -> None:
    engine = run(config(mars, tmp_path, train__print_freq=2))
    found = scalars(tmp_path)
    terms = {f"Train/{name}" for name in engine.step.names}
    assert terms | {"Train/lr", "Train/time", "Train/data"} == {
        tag for tag in found if tag.startswith("Train/")
    }
    assert [step for step, _ in found["Train/ranked_list"]] == list(
        range(6)
    )  # every step, also unprinted ones
    assert found["Test/mars_actions/rank1"] == [(1, pytest.approx(engine.history.rank1))]
    assert {"Test/mars_actions/mAP", "Test/MARS mixing/mINP", "Test/actions/mAP"} <= found.keys()


def test_going_on_does_not_write_a_step_twice(
    mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps 3 and 4 were written before the run broke off at step 5, and are made again."""
    original, count = TrainStep.__call__, iter(range(100))

    def breaking(self: TrainStep, *args: Any) -> torch.Tensor:
        if next(count) == 5:
            raise InterruptedError
        return original(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(TrainStep, "__call__", breaking)
        with pytest.raises(InterruptedError):
            run(config(mars, tmp_path, train__max_epoch=2))
    assert [step for step, _ in scalars(tmp_path)["Train/loss"]] == list(range(5))
    run(config(mars, tmp_path, train__max_epoch=2))
    assert [step for step, _ in scalars(tmp_path)["Train/loss"]] == list(range(6))


def fail() -> None:
    raise ZeroDivisionError


def test_a_folder_that_is_removed_under_tensorboard_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By whoever writes next, and not by a traceback of its own thread as well."""
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)  # pytest has one of its own
    writer = reporting.open_writer(tmp_path / "run", 0)
    shutil.rmtree(tmp_path / "run")
    reporting.write_scalars(writer, {"loss": 1.0}, 1)
    with suppress(OSError):  # its thread meets the missing folder here, or at the end
        writer.flush()
    other = threading.Thread(target=fail)
    other.start()
    other.join()
    with pytest.raises(ReidarError, match="TensorBoard scalars cannot be written"):
        reporting.close_writer(writer)
    assert threading.excepthook is threading.__excepthook__
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said  # of others all is told
    assert "FileNotFoundError" not in said


@pytest.mark.parametrize("method", ["__init__", "add_scalar", "close"])
def test_a_full_disk_under_tensorboard_is_one_line(
    mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def full(*args: Any, **given: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SummaryWriter, method, full)
    with pytest.raises(ReidarError, match=r"TensorBoard scalars cannot be written: .*No space") as refusal:
        run(config(mars, tmp_path, train__max_epoch=1))
    assert "\n" not in str(refusal.value)


def test_what_cannot_be_written_is_one_line(mars: Path, tmp_path: Path) -> None:
    engine = run(config(mars, tmp_path / "log", test__evaluate=True))
    assert engine.results is not None
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ReidarError, match=r"results cannot be written to .*file/log: .*Not a directory"):
        reporting.save_results(engine.results, tmp_path / "file/log")
    history = RunHistory(epochs=[{"epoch": 1, "lr": 0.1, "loss": 1.0}])
    with pytest.raises(ReidarError, match=r"file/training.png cannot be written: .*Errno"):
        draw_training(history, tmp_path / "file")
    draw_training(RunHistory(), tmp_path / "file")  # of nothing, nothing is drawn


def test_tables_are_printed_without_a_folder(
    mars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = build(config(mars, tmp_path))
    engine.test()
    output = capsys.readouterr().out
    assert "MARS usual" in output
    assert "walking" in output
    assert "results:" not in output
    assert not list(tmp_path.iterdir())
