"""What a checkpoint holds, and that it comes back."""

import copy
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from reidar_plugin.checkpoint.best import BestCheckpoint
from reidar_plugin.checkpoint.history import RunHistory
from reidar_plugin.checkpoint.state import (
    load_weights,
    plain,
    random_state,
    restore,
    restore_random_state,
    snapshot,
    unwrapped,
)
from reidar_plugin.checkpoint.store import CheckpointError, Position
from reidar_plugin.engine.schedule import WarmupSteps
from reidar_plugin.host import reid
from tests.engine_rig import build, config, differences, weights


def trained() -> tuple[nn.Linear, torch.optim.Adam, torch.optim.lr_scheduler.StepLR]:
    """A model with an optimiser and a schedule that have taken a step."""
    model = nn.Linear(2, 3)
    optimizer = torch.optim.Adam(model.parameters())
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    model(torch.rand(4, 2)).sum().backward()
    optimizer.step()
    scheduler.step()
    return model, optimizer, scheduler


def test_everything_comes_back() -> None:
    parts = {"objective": nn.Linear(1, 1)}
    before = trained()
    state = snapshot(*before, parts, Position(3, 7), rank1=np.float32(0.5), config="a: 1")
    assert (state["epoch"], state["rank1"]) == (3, 0.5)
    assert state["reidar"]["config"] == "a: 1"
    after, others = trained(), {"objective": nn.Linear(1, 1)}
    assert restore(state, *after, others) == Position(3, 7)
    assert differences([each.state_dict() for each in before], [each.state_dict() for each in after]) == []
    assert differences(parts["objective"].state_dict(), others["objective"].state_dict()) == []


def test_a_part_that_was_not_saved_is_one_line() -> None:
    state = snapshot(*trained(), {}, Position(1))
    with pytest.raises(CheckpointError, match=r"does not fit this run: KeyError: 'teacher'$"):
        restore(state, *trained(), {"teacher": nn.Linear(1, 1)})


def test_random_numbers_come_again() -> None:
    def drawn() -> list[Any]:
        return [random.random(), np.random.rand(3).tolist(), np.random.randn(), torch.rand(3).tolist()]

    np.random.randn()  # numpy keeps the second number of a pair
    state = random_state()
    first = drawn()
    assert drawn() != first
    restore_random_state(state)
    assert drawn() == first


def test_plain_values_stay_and_numpys_go() -> None:
    value = plain({"a": [np.float32(0.5), (np.int64(3), "text")], "b": torch.ones(1)})
    assert value == {"a": [0.5, (3, "text")], "b": torch.ones(1)}
    assert [type(each) for each in (value["a"][0], value["a"][1][0])] == [float, int]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: {"weight": tensors["weight"]}, r"it lacks bias$"),
        (lambda tensors: {**tensors, "more": torch.ones(1)}, r"it has more, which this model has not$"),
        (lambda tensors: {**tensors, "bias": torch.ones(5)}, r"it bias is \(5,\), here \(3,\)$"),
        (
            lambda tensors: dict.fromkeys("abcde", torch.ones(1)),
            r"lacks weight; lacks bias; has a, .*, and 4 more$",
        ),
    ],
)
def test_weights_of_another_model_are_one_line(change: Any, message: str) -> None:
    model = nn.Linear(2, 3)
    with pytest.raises(CheckpointError, match=message):
        load_weights(model, change(dict(model.state_dict())))


def test_weights_have_no_prefix_of_data_parallel() -> None:
    model = nn.Linear(2, 3)
    wrapped = nn.DataParallel(model)
    assert unwrapped(wrapped) is unwrapped(model) is model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    assert set(snapshot(wrapped, optimizer, None, {}, Position(1))["state_dict"]) == {"weight", "bias"}


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


def broken(place: str, value: Any) -> dict[str, Any]:
    """A snapshot with another value at ``optimizer/state/0/step``; ``...`` takes it away, a function changes it."""
    history = RunHistory()
    history.epochs, history.thresholds = [{"epoch": 1, "lr": 0.1, "loss": 2.0}], (0.5,)
    history.best = BestCheckpoint(0.5, "mAP", 1)
    state = holder = copy.deepcopy(snapshot(*warming(), {"record": history}, Position(1)))
    *path, last = [int(name) if name.isdigit() else name for name in place.split("/")]
    for name in path:
        holder = holder[name]  # type: ignore[index]
    if value is ...:
        del holder[last]  # type: ignore[arg-type]
    else:
        holder[last] = value(holder[last]) if callable(value) else value  # type: ignore[index]
    return state


def warming() -> tuple[nn.Linear, torch.optim.Adam, WarmupSteps]:
    model, optimizer, _ = trained()
    return model, optimizer, WarmupSteps(optimizer)


def without_values(value: torch.Tensor) -> torch.Tensor:
    return torch.empty(value.shape, device="meta")


CHANCE = "reidar/chance"
RECORD = "reidar/parts/record"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *(
            (name, 5)
            for name in ("state_dict", "optimizer", "scheduler", "reidar", CHANCE, RECORD, "reidar/parts")
        ),
        *(("epoch", value) for value in ("1", None, True, -1, 2**63, 0.5, torch.zeros(3))),
        *(("reidar/step", value) for value in ("1", -1, [1])),
        *(
            ("state_dict/weight", value)
            for value in (5, without_values, torch.Tensor.to_sparse, torch.zeros(5))
        ),
        *(("optimizer/state", value) for value in (5, {0: 5}, {"x": {}}, {9: {"step": torch.ones(1)}})),
        *(
            ("optimizer/state/0/step", value)
            for value in ("x", -1, float("nan"), ..., without_values, torch.zeros(3))
        ),
        *(("optimizer/state/0/exp_avg", value) for value in (..., [1], torch.zeros(7), without_values)),
        ("optimizer/state/0/exp_avg", lambda value: value.to(torch.complex64)),
        *(("optimizer/param_groups", value) for value in (5, [], ["x"], [[1]])),
        *(("optimizer/param_groups/0/eps", value) for value in (..., "x", None, 2**70)),
        *(("optimizer/param_groups/0/betas", value) for value in (5, (1, 1), ("a", "b"), (0.9,))),
        *(("optimizer/param_groups/0/lr", value) for value in ("x", ..., [1], {})),
        *(("scheduler/last_epoch", value) for value in ("||", {"a": 1}, None, 10**30)),
        *(
            (f"{CHANCE}/python", value)
            for value in (5, (3, (1, 2), None), (3, ("a",) * 625, None), ("x", (), 0))
        ),
        *((f"{CHANCE}/numpy", value) for value in (5, ["x"], [])),
        *((f"{CHANCE}/numpy/1", value) for value in (5, torch.zeros(3), without_values)),
        *((f"{CHANCE}/numpy/2", value) for value in (-1, 625, 2**31 - 1, "x", 10**30)),
        *((f"{CHANCE}/torch", value) for value in (5, torch.zeros(3), without_values)),
        *((f"{RECORD}/{name}", "x") for name in ("history", "tested", "rank1", "thresholds", "best")),
        *((f"{RECORD}/history/0", value) for value in (5, {}, {"epoch": 1, "lr": "x"}, [[1]])),
        *((f"{RECORD}/best/{name}", [1]) for name in ("value", "what", "epoch", "more")),
    ],
)
def test_a_value_of_another_kind_is_one_line(place: str, value: Any) -> None:
    generators = random_state()
    with pytest.raises(
        CheckpointError, match=r"^the checkpoint (does not fit this run|is of another model): "
    ) as said:
        restore(broken(place, value), *warming(), {"record": RunHistory()})
    assert "\n" not in str(said.value)
    assert len(str(said.value)) < 400
    restore_random_state(generators)


def test_what_a_schedule_is_like_the_config_says() -> None:
    for name, value in {"gamma": 1e308, "warmup": 2**60, "milestones": [1, 1, 1], "base_lrs": [9.0]}.items():
        model, optimizer, schedule = warming()
        restore(broken(f"scheduler/{name}", value), model, optimizer, schedule, {"record": RunHistory()})
        assert (schedule.gamma, schedule.warmup, schedule.milestones) == (0.1, 10, [40, 70])
        assert schedule.base_lrs == [0.001]


def test_what_another_version_has_more_or_less_is_no_matter() -> None:
    places: tuple[tuple[str, Any], ...] = (
        *(("optimizer/param_groups/0/more", 1), ("optimizer/param_groups/0/foreach", ...)),
        *(("scheduler/more", 1), ("scheduler/_is_initial", ...)),
    )
    for place, value in places:
        assert restore(broken(place, value), *warming(), {"record": RunHistory()}) == Position(1)
