"""Interrupted in every way there is, training ends in the very same bits."""

import errno
import os
import pickle
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.tensorboard import SummaryWriter

from reidar_plugin.checkpoint.store import CheckpointError, CheckpointStore, Position, read_checkpoint
from reidar_plugin.engine.interrupt import Interrupts
from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.engine.train_step import TrainStep
from reidar_plugin.errors import ConfigError, ReidarError
from reidar_plugin.host import defaults, reid
from tests.engine_rig import OSNET, build, config, differences, run, weights

EPOCHS = {"train__max_epoch": 3, "test__eval_freq": 1}
STEPS = 3  # of an epoch


class Killed(Exception):
    """Stands for a kill at that moment."""


@pytest.fixture(scope="module")
def whole(mars: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody interrupted."""
    save_dir = tmp_path_factory.mktemp("whole")
    run(config(mars, save_dir, **EPOCHS))
    return save_dir


def killed_at(monkeypatch: pytest.MonkeyPatch, step: int, cfg: Any) -> None:
    """Run, and die inside a step, after everything that chance depends on has been used up a little."""
    original, count = TrainStep.__call__, iter(range(10**6))

    def dying(self: TrainStep, *args: Any) -> torch.Tensor:
        if next(count) == step:
            torch.rand(3), np.random.rand(3), random.random()
            raise Killed
        return original(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(TrainStep, "__call__", dying)
        with pytest.raises(Killed):
            run(cfg)


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
    paths = [str(script.parents[1])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }

    def start(save_dir: Path) -> "subprocess.Popen[bytes]":
        command = [sys.executable, str(script), str(mars), str(save_dir)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)

    reference, victim = start(tmp_path / "whole"), start(tmp_path / "killed")
    deadline = time.monotonic() + 120
    while not list((tmp_path / "killed").glob("model/model.pth.tar-*")):
        assert victim.poll() is None, "ended before it had saved anything"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(random.Random(os.getpid()).uniform(0, 0.5))
    victim.kill()
    assert victim.wait() == -signal.SIGKILL
    assert start(tmp_path / "killed").wait(120) == 0
    assert reference.wait(120) == 0
    ends = [weights(tmp_path / name, "model.pth.tar-3") for name in ("whole", "killed")]
    assert differences(*ends) == []


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as it is in a terminal; tests may run where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_where_ctrl_c_is_ignored_it_stays_so(ctrl_c: None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupts().watched():
        signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def press_twice(reached: list[str]) -> None:
    interrupts = Interrupts()
    with interrupts.watched(), interrupts.held():
        signal.raise_signal(signal.SIGINT)
        reached.append("after the first")
        signal.raise_signal(signal.SIGINT)
        reached.append("after the second")


def test_a_second_ctrl_c_does_not_wait(ctrl_c: None) -> None:
    reached: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        press_twice(reached)
    assert reached == ["after the first"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_saves_and_says_how_to_go_on(
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
            signal.raise_signal(signal.SIGINT)
        return original(self, *args)

    cfg = config(mars, tmp_path, **EPOCHS)
    with monkeypatch.context() as patch:
        patch.setattr(TrainStep, "__call__", pressed)
        with pytest.raises(SystemExit) as stop:
            run(cfg)
    assert stop.value.code == 130
    assert (
        f"stopped after 1 epoch and 2 steps, saved as {tmp_path}/model/model.pth.tar-1+2"
        in capsys.readouterr().out
    )
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler  # given back
    run(cfg)
    assert differences(weights(whole, "model.pth.tar-3"), weights(tmp_path, "model.pth.tar-3")) == []


def test_a_second_start_of_a_finished_run_trains_nothing(
    mars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg = config(mars, tmp_path, train__max_epoch=1)
    run(cfg)
    before = (tmp_path / "model/model.pth.tar-1").read_bytes()
    capsys.readouterr()
    run(cfg)
    output = capsys.readouterr().out
    assert "nothing to train: 1 epoch of 1 done" in output
    assert "epoch: [" not in output
    assert "MARS usual" in output  # but tests, as the host does
    assert (tmp_path / "model/model.pth.tar-1").read_bytes() == before


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


# Damaged, hostile, foreign checkpoints.


@pytest.fixture
def two(mars: Path, whole: Path, tmp_path: Path) -> Path:
    """A copy of the checkpoints after 2 and 3 epochs."""
    (tmp_path / "model").mkdir()
    for name in ("model.pth.tar-2", "model.pth.tar-3"):
        (tmp_path / "model" / name).write_bytes((whole / "model" / name).read_bytes())
    return tmp_path


@pytest.mark.parametrize("damage", ["truncated", "empty", "a bit"])
def test_falls_back_to_the_checkpoint_before_a_broken_one(
    mars: Path, whole: Path, two: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    newest = two / "model/model.pth.tar-3"
    content = bytearray(newest.read_bytes())
    if damage == "a bit":
        content[len(content) // 2] ^= 1
    newest.write_bytes(content[: {"truncated": len(content) // 2, "empty": 0}.get(damage, len(content))])
    run(config(mars, two, **EPOCHS))
    output = capsys.readouterr().out
    assert f"{newest} is" in output
    assert "trying the checkpoint before it" in output
    assert f"going on from {two}/model/model.pth.tar-2" in output
    assert differences(weights(whole, "model.pth.tar-3"), weights(two, "model.pth.tar-3")) == []


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


@pytest.fixture
def small(tmp_path: Path) -> CheckpointStore:
    """Checkpoints of 1 and 2 epochs, of a kilobyte or two."""
    store = CheckpointStore(tmp_path)
    for epoch in (1, 2):
        store.save({"state_dict": {"w": torch.ones(2)}, "epoch": epoch}, Position(epoch))
    return store


def test_a_flipped_bit_is_one_line_or_no_matter(small: CheckpointStore) -> None:
    """One of each byte: content, names, lengths, methods, flags."""
    path = small.path(Position(2))
    content, refusals = path.read_bytes(), []
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            assert torch.equal(read_checkpoint(path)["state_dict"]["w"], torch.ones(2))
        except CheckpointError as error:
            refusals.append(str(error))
    assert len(content) / 4 < len(refusals) < len(content)
    assert all(len(refusal.splitlines()) == 1 for refusal in refusals)


@pytest.mark.parametrize(
    ("record", "offset", "bit", "error"),
    [(b"data.pkl", 0, 0x80, "UnicodeDecodeError: 'utf-8'"), (b"PK\1\2", 10, 8, "error: Error -3 while")],
    ids=["a name no text any more", "compressed, it says"],
)
def test_a_checkpoint_with_a_damaged_directory_is_passed_over(
    small: CheckpointStore,
    capsys: pytest.CaptureFixture[str],
    record: bytes,
    offset: int,
    bit: int,
    error: str,
) -> None:
    path = small.path(Position(2))
    content = bytearray(path.read_bytes())
    content[content.rindex(record) + offset] ^= bit
    path.write_bytes(content)
    found = small.newest()
    assert found is not None
    assert found[0] == small.path(Position(1))
    assert error in capsys.readouterr().out


def test_a_checkpoint_that_does_not_open_is_not_passed_over(small: CheckpointStore) -> None:
    path = small.path(Position(2))
    path.unlink()
    path.mkdir()
    with pytest.raises(CheckpointError, match=r"model.pth.tar-2 cannot be opened: Is a directory$"):
        small.newest()


def test_says_so_when_no_checkpoint_is_whole(mars: Path, two: Path) -> None:
    for path in (two / "model").iterdir():
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"none of 2 checkpoints in .*model is whole"):
        run(config(mars, two, **EPOCHS))


class Hostile:
    def __reduce__(self) -> Any:
        return os.mkdir, ("hostile_code_ran",)


def test_refuses_pickled_code_in_one_line(
    mars: Path, two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}, "epoch": 3, "reidar": Hostile()}, two / "model/model.pth.tar-3")
    with pytest.raises(
        CheckpointError, match=r"model.pth.tar-3 holds (posix|nt|os).mkdir, .* refused"
    ) as refusal:
        run(config(mars, two, **EPOCHS))
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "hostile_code_ran").exists()


def test_refuses_a_bare_pickle(tmp_path: Path) -> None:
    path = tmp_path / "model.pth.tar-1"
    path.write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(CheckpointError, match=r"not whole .* or no checkpoint"):
        read_checkpoint(path)
    with pytest.raises(CheckpointError, match=r"nowhere cannot be opened: No such file"):
        read_checkpoint(tmp_path / "nowhere")
    torch.save([1], path)
    with pytest.raises(CheckpointError, match=r"it has no state_dict"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model__name": OSNET}, "model: tiny, here reidar_osnet_x0_25"),
        ({"reidar__labels__space": "actions3"}, "actions: .*'trolley'], here .*'using_hands']"),
        ({"train__lr": 0.1}, r"another config \(train.lr: 0.0003, here 0.1\)"),
        ({"reidar__train__resume": "off"}, "holds checkpoints of 3 epochs and reidar.train.resume is off"),
    ],
    ids=["model", "label space", "config", "off"],
)
def test_says_what_differs(mars: Path, two: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ReidarError, match=message) as refusal:
        run(config(mars, two, **EPOCHS, **options))
    assert "\n" not in str(refusal.value)


def test_says_that_the_number_of_people_differs(two: Path, tmp_path: Path) -> None:
    from tests import fakes

    fakes.write_mars(tmp_path / "other", train_people=4, test_people=3, frames=3)
    with pytest.raises(CheckpointError, match=r"identities: 6, here 4"):
        run(config(tmp_path / "other", two, **EPOCHS))


def test_says_that_labels_were_edited(tmp_path: Path) -> None:
    from tests import fakes

    fakes.write_mars(tmp_path / "data", train_people=6, test_people=3, frames=3)
    table = tmp_path / "data/mars/actions.csv"
    run(config(tmp_path / "data", tmp_path / "log", train__max_epoch=1))
    lines = table.read_text().splitlines()  # 0002 is a person of the training set
    table.write_text(
        "".join("0002,walking|riding\n" if line.startswith("0002,") else f"{line}\n" for line in lines)
    )
    with pytest.raises(CheckpointError, match=r"training: 24 tracklets with people and labels \w+, here 24"):
        run(config(tmp_path / "data", tmp_path / "log", train__max_epoch=2))


def test_the_hosts_cosine_ties_the_number_of_epochs(mars: Path, tmp_path: Path) -> None:
    cosine = {"reidar__train__schedule": "host", "train__lr_scheduler": "cosine"}
    run(config(mars, tmp_path, train__max_epoch=1, **cosine))
    with pytest.raises(CheckpointError, match=r"another config \(train.max_epoch: 1, here 2\)"):
        run(config(mars, tmp_path, train__max_epoch=2, **cosine))


def test_another_figure_of_merit_starts_anew(mars: Path, tmp_path: Path) -> None:
    run(config(mars, tmp_path, train__max_epoch=1))
    engine = run(config(mars, tmp_path, train__max_epoch=2, reidar__train__best="mINP@mixing"))
    assert engine.history.best is not None
    assert (engine.history.best.what, engine.history.best.epoch) == (
        "mINP of MARS mixing (squared Euclidean)",
        2,
    )
    assert weights(tmp_path, "model-best.pth.tar")["epoch"] == 2


@pytest.mark.parametrize(
    "longer", [{"train__max_epoch": 4}, {"train__max_epoch": 2}, {"test__rerank": True, "data__workers": 1}]
)
def test_some_keys_may_change(mars: Path, two: Path, longer: dict[str, Any]) -> None:
    engine = run(config(mars, two, **{**EPOCHS, **longer}))
    assert engine.position.epoch == max(3, longer.get("train__max_epoch", 3))
    assert engine.outcome is not None


# Writing.


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


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file takes more than 1,000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_found_before_training(tmp_path: Path, full_disk: None) -> None:
    store = CheckpointStore(tmp_path / "model")
    with pytest.raises(CheckpointError, match=r"model cannot be written: File too large; choose another"):
        store.check_writable()
    assert list(store.folder.iterdir()) == []


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


def test_a_writer_killed_at_the_rename_leaves_the_checkpoint_before(
    mars: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cfg = config(mars, tmp_path, **EPOCHS)
    run(config(mars, tmp_path, **{**EPOCHS, "train__max_epoch": 1}))
    (tmp_path / "model/.model.pth.tar-2+1.part").write_bytes(b"half")  # what kill -9 leaves
    run(cfg)
    assert not list((tmp_path / "model").glob(".*"))
    assert differences(weights(whole, "model.pth.tar-3"), weights(tmp_path, "model.pth.tar-3")) == []


def test_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power cut could leave a name without content."""
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: calls.append("fsync") or fsync(handle))
    monkeypatch.setattr(os, "replace", lambda part, path: calls.append("rename") or replace(part, path))
    store = CheckpointStore(tmp_path / "model")
    store.save({"state_dict": {}}, Position(1))
    assert calls == ["fsync", "rename", "fsync"]  # the file, then its folder
    assert store.positions() == [Position(1)]


def test_a_folder_that_cannot_be_written_is_found_before_training(mars: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    engine = build(config(mars, tmp_path / "file" / "log"))
    with pytest.raises(
        CheckpointError, match=r"file/log/model cannot be written: .*; choose another data.save_dir"
    ):
        engine.run(save_dir=str(tmp_path / "file" / "log"), max_epoch=1)
    assert engine.batch_idx == 0


def test_what_was_just_written_stays_where_newer_ones_are_broken(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=2)
    for epoch in (1, 2):
        store.save({"state_dict": {}}, Position(epoch))
    for epoch in (3, 4):
        store.path(Position(epoch)).write_bytes(b"")
    written = store.save({"state_dict": {}}, Position(2, 1))
    assert written.exists()
    found = store.newest()
    assert found is not None
    assert found[0] == written
    assert store.positions() == [Position(4), Position(3), Position(2, 1), Position(2)]


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


# The host's way.


def test_the_host_resumes_from_ours(mars: Path, whole: Path) -> None:
    engine = build(config(mars, whole / "unused"))
    file = str(whole / "model/model.pth.tar-3")
    epoch = reid.utils.resume_from_checkpoint(file, engine.model, engine.optimizer, engine.scheduler)
    expected = weights(whole, "model.pth.tar-3")
    assert epoch == 3
    assert differences(dict(engine.model.state_dict()), expected["state_dict"]) == []
    assert engine.scheduler.last_epoch == 3
    assert not any(name.startswith("module.") for name in expected["state_dict"])
    assert {"state_dict", "epoch", "rank1", "optimizer", "scheduler"} <= expected.keys()
    assert isinstance(expected["rank1"], float)


def test_model_resume_goes_on_exactly_in_another_folder(mars: Path, whole: Path, tmp_path: Path) -> None:
    resume = str(whole / "model/model.pth.tar-2")
    run(config(mars, tmp_path, model__resume=resume, **EPOCHS))
    found, expected = weights(tmp_path, "model.pth.tar-3"), weights(whole, "model.pth.tar-3")
    best = found["reidar"]["parts"].pop("record")["best"]
    del expected["reidar"]["parts"]["record"]
    assert differences(expected, found) == []
    assert best["epoch"] in (2, 3)  # tested in this folder
    assert weights(tmp_path, "model-best.pth.tar")["epoch"] == best["epoch"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"train__lr": 0.1},
            r"another config \(train.lr: 0.0003, here 0.1\): take that config, or start from its",
        ),
        (
            {"reidar__labels__space": "actions3"},
            r"is of another model: it .*actions.weight is \(8, 4\), here \(3, 4\)",
        ),
    ],
    ids=["config", "label space"],
)
def test_model_resume_says_what_differs(
    mars: Path, whole: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    resume = str(whole / "model/model.pth.tar-2")
    with pytest.raises(CheckpointError, match=message) as refusal:
        run(config(mars, tmp_path, model__resume=resume, **EPOCHS, **options))
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "results.json").exists()


def without_epoch(state: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key != "epoch"}


def without_moments(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "optimizer": {"state": {}, "param_groups": []}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_epoch, "named.pth holds weights and no epoch, .*; name it in model.load_weights"),
        (
            lambda state: state["state_dict"],
            "named.pth is no checkpoint: it has no state_dict; weights alone go",
        ),
        (lambda state: {**state, "more": Hostile()}, r"named.pth holds (posix|nt).mkdir, .* refused"),
        (
            lambda state: {**state, "state_dict": {}},
            r"named.pth: the checkpoint is of another model: it lacks base",
        ),
        (without_moments, r"named.pth does not fit this run \(ValueError: .*; take the config"),
    ],
    ids=["no epoch", "weights alone", "hostile", "empty", "another optimiser"],
)
def test_model_resume_of_what_cannot_be_resumed_is_one_line(
    mars: Path, whole: Path, tmp_path: Path, change: Callable[[Any], Any], message: str
) -> None:
    torch.save(change(weights(whole, "model.pth.tar-2")), tmp_path / "named.pth")
    with pytest.raises(CheckpointError, match=message) as refusal:
        build(config(mars, tmp_path / "log", model__resume=str(tmp_path / "named.pth"), **EPOCHS))
    assert "\n" not in str(refusal.value)


def test_model_resume_of_half_a_file_is_one_line(mars: Path, whole: Path, tmp_path: Path) -> None:
    content = (whole / "model/model.pth.tar-2").read_bytes()
    (tmp_path / "half.pth").write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match=r"half.pth is not whole \([\d,]+ bytes\).*; copy it again"):
        build(config(mars, tmp_path / "log", model__resume=str(tmp_path / "half.pth"), **EPOCHS))


def test_model_resume_takes_the_format_of_old_torch(mars: Path, whole: Path, tmp_path: Path) -> None:
    old, state = tmp_path / "old.pth", weights(whole, "model.pth.tar-2")
    state["rank1"] = np.float32(0.5)  # as the host wrote it
    torch.save(state, old, _use_new_zipfile_serialization=False)
    engine = run(config(mars, tmp_path / "log", model__resume=str(old), **EPOCHS))
    assert engine.position.epoch == 3


def test_model_resume_of_an_older_one_does_not_mix_two_runs(mars: Path, two: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"names model.pth.tar-2, and .* holds the newer model.pth.tar-3"
    ):
        run(config(mars, two, model__resume=str(two / "model/model.pth.tar-2"), **EPOCHS))


def test_goes_on_from_a_checkpoint_of_the_host(
    mars: Path, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = weights(whole, "model.pth.tar-2")
    del state["reidar"]
    torch.save(state, tmp_path / "model.pth.tar-2")
    engine = run(config(mars, tmp_path / "log", model__resume=str(tmp_path / "model.pth.tar-2"), **EPOCHS))
    assert engine.position.epoch == 3
    output = capsys.readouterr().out
    assert (
        "a checkpoint of the host: model and optimiser go on, centres and random numbers start anew" in output
    )
    assert "epoch: [3/3]" in output
    assert "epoch: [2/3]" not in output


def test_save_model_is_the_hosts(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path))
    engine.save_model(4, np.float32(0.5), str(tmp_path), is_best=True)
    state = weights(tmp_path, "model.pth.tar-5")
    assert (state["epoch"], state["rank1"], state["reidar"]["step"]) == (5, 0.5, 0)
    assert (tmp_path / "model/model-best.pth.tar").exists()


def test_what_a_subclass_registers_is_saved_too(mars: Path, tmp_path: Path) -> None:
    class WithTeacher(JointEngine):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.teacher = torch.nn.Linear(2, 2)
            self.register_model("teacher", self.teacher, torch.optim.SGD(self.teacher.parameters(), lr=0.1))

    cfg = config(mars, tmp_path, train__max_epoch=1)
    engine = build(cfg, WithTeacher)
    torch.nn.init.constant_(engine.teacher.weight, 7.0)
    engine.run(**defaults.engine_arguments(cfg))
    cfg.train.max_epoch = 2
    again = build(cfg, WithTeacher)
    assert not (again.teacher.weight == 7).any()
    again.run(**defaults.engine_arguments(cfg))
    assert (again.teacher.weight == 7).all()


def test_off_starts_in_an_empty_folder(mars: Path, tmp_path: Path) -> None:
    engine = run(config(mars, tmp_path, train__max_epoch=1, reidar__train__resume="off"))
    assert engine.position.epoch == 1
    with pytest.raises(ConfigError, match=r"reidar.train.resume: unknown 'always'; choose one of auto, off"):
        build(config(mars, tmp_path, reidar__train__resume="always"))
