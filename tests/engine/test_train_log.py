"""What is noted of steps: means, lines, scalars, and the stop at a value that is not finite."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from reidar_plugin.data.tracklets import Frames
from reidar_plugin.engine import train_log
from reidar_plugin.engine.train_log import NonFiniteLossError, Pace, TrainLog

NAMES = ("ranked_list", "loss", "gradient_norm")


def log(names: tuple[str, ...] = NAMES, **options: Any) -> TrainLog:
    tracklets = [Frames([f"{index}.jpg"], f"T{index:04d}") for index in range(10)]
    return TrainLog(names, tracklets, lambda: 0.00035, lambda: "log/model.pth.tar-1", **options)


def test_reads_in_order_and_keeps_means() -> None:
    kept = log()
    kept.add(4, torch.tensor([0, 1]), torch.tensor([1.0, 2.0, 3.0]))
    kept.add(5, torch.tensor([2, 3]), torch.tensor([3.0, 6.0, 5.0]))
    assert kept.means()["loss"] == 0.0  # nothing was read
    kept.read()
    assert kept.means() == {"ranked_list": 2.0, "loss": 4.0, "gradient_norm": 4.0}
    kept.read()
    assert kept.state_dict()["count"] == 2  # nothing is read twice
    kept.epoch = 2
    assert kept.end_epoch() == {
        "epoch": 3,
        "lr": 0.00035,
        "ranked_list": 2.0,
        "loss": 4.0,
        "gradient_norm": 4.0,
    }
    assert kept.means()["loss"] == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_names_the_first_bad_step_its_term_and_tracklets(bad: float) -> None:
    kept = log()
    kept.epoch = 1
    kept.add(0, torch.tensor([7]), torch.tensor([1.0, 1.0, 1.0]))
    kept.add(1, torch.tensor([9, 8, 9]), torch.tensor([bad, math.nan, math.nan]))
    kept.add(2, torch.tensor([5]), torch.tensor([1.0, math.nan, 1.0]))
    message = (
        f"epoch 2: ranked_list is {bad} at step 2; tracklets T0008, T0009; last good checkpoint: log/model"
    )
    for _ in range(2):  # also when it is asked again, so that nothing is saved after it
        with pytest.raises(NonFiniteLossError, match=f"^{message}"):
            kept.read()


def test_names_a_tracklet_without_a_key_by_its_first_frame() -> None:
    kept = TrainLog(("loss",), [("a/0001.jpg", "a/0002.jpg")], lambda: 0.1, lambda: "none yet")
    kept.add(0, torch.tensor([0]), torch.tensor([math.nan]))
    with pytest.raises(NonFiniteLossError, match=r"tracklets a/0001.jpg; last good checkpoint: none yet;"):
        kept.read()


def test_a_scaled_gradient_may_be_infinite() -> None:
    values = torch.tensor([1.0, 1.0, math.inf])
    tolerant, strict = log(unchecked=("gradient_norm",)), log()
    tolerant.add(0, torch.tensor([0]), values)
    strict.add(0, torch.tensor([0]), values)
    tolerant.read()
    assert tolerant.means()["gradient_norm"] == math.inf
    with pytest.raises(NonFiniteLossError, match=r"gradient_norm is inf"):
        strict.read()


def test_goes_on_with_the_sums_of_its_own_terms_only() -> None:
    kept, again, other = log(), log(), log(("loss",))
    kept.add(0, torch.tensor([0]), torch.tensor([1.0, 2.0, 3.0]))
    kept.read()
    assert kept.state_dict() == {"names": list(NAMES), "sums": [1.0, 2.0, 3.0], "count": 1}
    again.load_state_dict(kept.state_dict())
    again.add(1, torch.tensor([0]), torch.tensor([3.0, 2.0, 1.0]))
    again.read()
    assert again.means() == {"ranked_list": 2.0, "loss": 2.0, "gradient_norm": 2.0}
    other.load_state_dict(kept.state_dict())
    assert other.state_dict() == {"names": ["loss"], "sums": [0.0], "count": 0}


def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that shows what its only entry says."""
    now = [100.0]
    monkeypatch.setattr(train_log.time, "monotonic", lambda: now[0])
    return now


def test_prints_a_line_in_the_hosts_form(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four steps of 2 seconds, half a second of each waiting; 6 of 10 steps and 2 epochs of 10 are left."""
    now = stopped_clock(monkeypatch)
    kept = log()

    def batches() -> Any:
        for index in range(10):
            now[0] += 0.5
            yield index

    for index in kept.follow(batches(), epoch=0, epochs=3, total=10, done=0):
        now[0] += 1.5
        kept.add(index, torch.tensor([0]), torch.tensor([1.0 + index, 2.0, 3.0]))
        if index == 3:
            break
    kept.read()
    kept.print(4)
    assert capsys.readouterr().out == (
        "epoch: [1/3][4/10]\ttime 2.000\tdata 0.500\teta 0:00:52\t"
        "ranked_list 4.0000 (2.5000)\tloss 2.0000 (2.0000)\tgradient_norm 3.0000 (3.0000)\tlr 0.000350\n"
    )


def test_pace_is_of_the_steps_since_the_last_report(monkeypatch: pytest.MonkeyPatch) -> None:
    now = stopped_clock(monkeypatch)
    pace = Pace()
    assert (pace.step, pace.data) == (0.0, 0.0)
    for _ in pace.timed(range(3)):
        now[0] += 2.0
    assert (pace.step, pace.data) == (2.0, 0.0)
    pace.restart()
    for _ in pace.timed(range(1)):
        now[0] += 5.0
    assert pace.step == 5.0


def test_writes_every_step_for_tensorboard(tmp_path: Path) -> None:
    writer = SummaryWriter(str(tmp_path))
    kept = log()
    kept.epoch, kept.batches = 2, 10
    for step in (3, 4):
        kept.add(step, torch.tensor([0]), torch.tensor([1.0, float(step), 3.0]))
    kept.read(writer)
    writer.close()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    expected = {f"Train/{name}" for name in NAMES} | {"Train/lr", "Train/time", "Train/data"}
    assert set(events.Tags()["scalars"]) == expected
    assert [(event.step, event.value) for event in events.Scalars("Train/loss")] == [(23, 3.0), (24, 4.0)]
