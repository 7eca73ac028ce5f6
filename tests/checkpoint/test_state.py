"""What a checkpoint holds, and that it comes back."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

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
