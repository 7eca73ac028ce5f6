"""Interrupted in every way there is, training ends in the very same bits."""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reidar_plugin.checkpoint.store import CheckpointError, CheckpointStore, Position, read_checkpoint
from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.engine.train_step import TrainStep
from reidar_plugin.io.folder_lock import FolderInUseError, FolderLock
from tests.checkpoint.runs import EPOCHS, STEPS, Killed, killed_at
from tests.engine_rig import build, config, differences, run, weights
from tests.versions import TORCH
from tests.warm import python


@pytest.mark.parametrize(("save_every", "steps"), [(0, [5]), (1, [1, 4]), (2, [2, 4])])
def test_goes_on_to_the_same_bits(
    mars: Path,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    save_every: int,
    steps: list[int],
) -> None:
    cfg = config(mars, tmp_path, reidar__train__save_every=save_every, **EPOCHS)
    for step in steps:
        killed_at(monkeypatch, step, cfg)
    run(cfg)
    expected, found = weights(whole, "model.pth.tar-3"), weights(tmp_path, "model.pth.tar-3")
    assert (
        len(expected["reidar"]["record"] if "record" in expected["reidar"] else expected["reidar"]["parts"])
        >= 5
    )
    assert differences(expected, found) == []


def test_the_comparison_sees_a_bit(whole: Path) -> None:
    state = weights(whole, "model.pth.tar-3")
    other = weights(whole, "model.pth.tar-3")
    name = next(iter(other["state_dict"]))
    other["state_dict"][name][(0,) * other["state_dict"][name].dim()] += 1e-6
    assert differences(state, other) == [f".state_dict.{name}"]
    assert differences(state, weights(whole, "model.pth.tar-2")) != []


@pytest.mark.slow
def test_survives_kill_9(mars: Path, tmp_path: Path) -> None:
    """In processes of their own; the first is killed as soon as there is a checkpoint, at whatever it does then."""
    script = Path(__file__).parents[1] / "engine_rig.py"

    def start(save_dir: Path) -> BaseProcess:
        return python(script, mars, save_dir, cwd=tmp_path, said=tmp_path)

    def end(process: BaseProcess) -> int | None:
        process.join(120)
        return process.exitcode

    reference, victim = start(tmp_path / "whole"), start(tmp_path / "killed")
    deadline = time.monotonic() + 120
    while not list((tmp_path / "killed").glob("model/model.pth.tar-*")):
        assert victim.is_alive(), "ended before it had saved anything"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(random.Random(os.getpid()).uniform(0, 0.5))
    victim.kill()
    assert end(victim) == -signal.SIGKILL
    assert end(start(tmp_path / "killed")) == 0
    assert end(reference) == 0
    ends = [weights(tmp_path / name, "model.pth.tar-3") for name in ("whole", "killed")]
    assert differences(*ends) == []


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 138), (signal.SIGHUP, 129)],
)
def test_the_end_of_a_job_is_saved_and_how_to_go_on_is_said(
    number: signal.Signals,
    status: int,
    mars: Path,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ctrl_c: None,
) -> None:
    original, count = TrainStep.__call__, iter(range(10**6))

    def pressed(self: TrainStep, *args: Any) -> torch.Tensor:
        if next(count) == STEPS + 1:
            signal.raise_signal(number)
        return original(self, *args)

    before = signal.getsignal(number)
    cfg = config(mars, tmp_path, **EPOCHS)
    with monkeypatch.context() as patch:
        patch.setattr(TrainStep, "__call__", pressed)
        with pytest.raises(SystemExit) as stop:
            run(cfg)
    assert stop.value.code == status
    assert (
        f"stopped after 1 epoch and 2 steps, saved as {tmp_path}/model/model.pth.tar-1+2"
        in capsys.readouterr().out
    )
    assert signal.getsignal(number) is before  # given back
    run(cfg)
    assert differences(weights(whole, "model.pth.tar-3"), weights(tmp_path, "model.pth.tar-3")) == []


def test_a_second_run_in_a_folder_is_refused(mars: Path, tmp_path: Path) -> None:
    script = "\n".join(
        (
            "import sys, time",
            "from reidar_plugin.io.folder_lock import FolderLock",
            "FolderLock(sys.argv[1]).take()",
            "print('taken', flush=True)",
            "time.sleep(600)",
        )
    )
    paths = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    first = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, env=paths)
    assert first.stdout is not None
    try:
        assert first.stdout.readline() == b"taken\n"
        with pytest.raises(FolderInUseError, match=f"being written by process {first.pid} on "):
            run(config(mars, tmp_path, **EPOCHS))
    finally:
        first.kill()
        first.wait()
    assert not list(tmp_path.glob("model/model.pth.tar-*"))
    run(config(mars, tmp_path, **EPOCHS))  # a lock does not outlive its process
    assert list(tmp_path.glob("model/model.pth.tar-*"))


@pytest.mark.parametrize(("looks", "unwritten"), [(0, "model/model.pth.tar-*"), (1, "results.json")])
def test_no_checkpoint_goes_into_a_folder_that_another_run_has_made_again(
    mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: int, unwritten: str
) -> None:
    """Nor do results."""
    well = iter(range(looks))

    def keep(lock: FolderLock) -> None:
        if next(well, None) is None:  # by now somebody has removed the folder
            raise FolderInUseError("of another run")

    monkeypatch.setattr(FolderLock, "keep", keep)
    with pytest.raises(FolderInUseError, match="of another run"):
        run(config(mars, tmp_path, **EPOCHS))
    assert not list(tmp_path.glob(unwritten))


def test_a_kill_during_the_test_does_not_cost_the_epoch(
    mars: Path,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cfg = config(mars, tmp_path, **EPOCHS)
    with monkeypatch.context() as patch:

        def die(*args: Any, **kwargs: Any) -> float:
            raise Killed

        patch.setattr(JointEngine, "test", die)
        with pytest.raises(Killed):
            run(cfg)
    capsys.readouterr()
    run(cfg)
    assert "epoch: [1/3]" not in capsys.readouterr().out
    assert differences(weights(whole, "model.pth.tar-3"), weights(tmp_path, "model.pth.tar-3")) == []
    assert (tmp_path / "model/model-best.pth.tar").exists()


def test_a_kill_before_the_best_is_copied_does_not_lose_it(
    mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cfg = config(mars, tmp_path, train__max_epoch=1)
    with monkeypatch.context() as patch:

        def die(*args: Any) -> Path:
            raise Killed

        patch.setattr(CheckpointStore, "mark_best", die)
        with pytest.raises(Killed):
            run(cfg)
    assert not (tmp_path / "model/model-best.pth.tar").exists()
    run(cfg)
    assert differences(weights(tmp_path, "model-best.pth.tar"), weights(tmp_path, "model.pth.tar-1")) == []


def test_the_last_good_checkpoint_is_never_a_broken_one(mars: Path, two: Path) -> None:
    (two / "model/model.pth.tar-3").write_bytes(b"")
    engine = build(config(mars, two, **EPOCHS))
    engine._start(str(two), 0, 3)
    assert engine.checkpoints.last() == f"{two}/model/model.pth.tar-2"
    engine.position = Position(2, 1)
    written = engine.save_position()
    assert (
        engine.checkpoints.last() == str(written) != str(two / "model/model.pth.tar-3")
    )  # which stays, and is newer


def test_a_full_disk_leaves_the_checkpoint_before_intact(mars: Path, tmp_path: Path) -> None:
    engine = run(config(mars, tmp_path, train__max_epoch=1))
    path = tmp_path / "model/model.pth.tar-1"
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(
            CheckpointError, match=r"model.pth.tar-1 cannot be written: File too large; .* intact"
        ) as full:
            engine.save_position()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(full.value)
    assert path.read_bytes() == before
    assert sorted(each.name for each in (tmp_path / "model").iterdir()) == [
        "model-best.pth.tar",
        "model.pth.tar-1",
    ]


def test_a_writer_killed_at_the_rename_leaves_the_checkpoint_before(
    mars: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cfg = config(mars, tmp_path, **EPOCHS)
    run(config(mars, tmp_path, **{**EPOCHS, "train__max_epoch": 1}))
    (tmp_path / "model/.model.pth.tar-2+1.part").write_bytes(b"half")  # what kill -9 leaves
    run(cfg)
    assert not list((tmp_path / "model").glob(".*"))
    assert differences(weights(whole, "model.pth.tar-3"), weights(tmp_path, "model.pth.tar-3")) == []


@pytest.mark.parametrize(("keep", "left"), [(1, [3]), (2, [2, 3]), (0, [1, 2, 3])])
def test_only_the_last_and_the_best_stay(mars: Path, tmp_path: Path, keep: int, left: list[int]) -> None:
    engine = run(config(mars, tmp_path, reidar__train__keep=keep, reidar__train__save_every=2, **EPOCHS))
    names = {path.name for path in (tmp_path / "model").iterdir()}
    whole_epochs = {f"model.pth.tar-{epoch}" for epoch in left}
    assert names - whole_epochs - {f"model.pth.tar-{epoch}+2" for epoch in range(3)} == {"model-best.pth.tar"}
    assert ("model.pth.tar-3" in names, len(names) - 1) == (True, keep or 6)
    best = weights(tmp_path, "model-best.pth.tar")
    assert engine.history.best is not None
    assert best["epoch"] == engine.history.best.epoch


def test_model_resume_goes_on_exactly_in_another_folder(mars: Path, whole: Path, tmp_path: Path) -> None:
    resume = str(whole / "model/model.pth.tar-2")
    run(config(mars, tmp_path, model__resume=resume, **EPOCHS))
    found, expected = weights(tmp_path, "model.pth.tar-3"), weights(whole, "model.pth.tar-3")
    best = found["reidar"]["parts"].pop("record")["best"]
    del expected["reidar"]["parts"]["record"]
    assert differences(expected, found) == []
    assert best["epoch"] in (2, 3)  # tested in this folder
    assert weights(tmp_path, "model-best.pth.tar")["epoch"] == best["epoch"]


def test_model_resume_takes_the_format_of_old_torch(mars: Path, whole: Path, tmp_path: Path) -> None:
    old, state = tmp_path / "old.pth", weights(whole, "model.pth.tar-2")
    state["rank1"] = np.float32(0.5)  # as the host wrote it
    torch.save(state, old, _use_new_zipfile_serialization=False)
    engine = run(config(mars, tmp_path / "log", model__resume=str(old), **EPOCHS))
    assert engine.position.epoch == 3


def test_says_that_nothing_was_loaded(mars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(config(mars, tmp_path, test__evaluate=True))
    assert "testing the network as it was built" in capsys.readouterr().out


#: Written by version 0.1, before its modules were moved and renamed, from the run of the fixture ``whole``.
OLD = Path(__file__).parent / "data/written-by-0.1-after-1-epoch-and-1-step.pth.tar"


def test_a_checkpoint_of_the_first_version_goes_on(
    mars: Path, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the end, as if nothing had happened; bits depend on the processor that wrote it."""
    (tmp_path / "model").mkdir()
    shutil.copy(OLD, tmp_path / "model/model.pth.tar-1+1")
    engine = run(config(mars, tmp_path, **EPOCHS))
    output = capsys.readouterr().out
    assert "training from 1 epoch and 1 step to 3 epochs" in output
    assert "epoch: [1/3]" not in output
    expected, found = weights(whole, "model.pth.tar-3"), weights(tmp_path, "model.pth.tar-3")
    old, history = read_checkpoint(OLD), engine.history
    assert [row["epoch"] for row in history.epochs] == [1, 2, 3]
    assert history.epochs[:1] == old["reidar"]["parts"]["record"]["history"]
    if TORCH >= (2, 5):  # torch 2.4 ends elsewhere than a run that a newer torch began
        for part in (lambda state: state["state_dict"], lambda state: state["reidar"]["parts"]["objective"]):
            torch.testing.assert_close(part(found), part(expected), rtol=1e-3, atol=1e-4)
        for row, uninterrupted in zip(
            history.epochs, expected["reidar"]["parts"]["record"]["history"], strict=True
        ):
            assert row == pytest.approx(uninterrupted, rel=1e-2)  # the second one also of the step before
    assert found.keys() == expected.keys() == old.keys()
    assert found["reidar"].keys() == {*old["reidar"].keys(), "ranks"}
    assert found["reidar"]["parts"].keys() == old["reidar"]["parts"].keys()


def test_says_that_there_is_no_folder_yet(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path))
    with pytest.raises(ValueError, match=r"expected open\(save_dir\) before .*, got no folder"):
        engine.save_position()
    assert engine.checkpoints.last() == "none yet"
