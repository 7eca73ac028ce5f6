"""Whether a saved state is of the kind that a run has; test_state.py has the states of a whole run."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from reidar_plugin.checkpoint.likeness import is_whole, unlike, unlike_optimizer

OURS = {"a": 1, "b": [0.5, 2.0], "c": {"d": "x", "e": None}, "f": torch.zeros(2), "g": True, "h": []}


def test_the_same_kinds_whatever_the_values() -> None:
    others: dict[str, Any] = {
        "a": 7,
        "b": (1, 3.0),
        "c": {"d": "y", "e": 5},
        "f": torch.ones(2),
        "h": [1, "x"],
    }
    assert list(unlike(others | {"g": False}, OURS, "it")) == []
    assert list(unlike({"more": 1}, OURS, "it")) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("a", 1.5, "it.a is 1.5, expected int"),
        ("a", True, "it.a is True, expected int"),
        ("a", 2**63, f"it.a is {2**63}, expected int"),
        ("b", {"x": 1}, "it.b is {'x': 1}, expected a list"),
        ("b", [0.5, "x"], "it.b[1] is 'x', expected float"),
        ("c", 5, "it.c is 5, which has no names"),
        ("c", {"d": 1}, "it.c.d is 1, expected str"),
        ("f", [0, 0], "it.f is [0, 0], here a strided tensor of torch.float32 of shape (2,)"),
        (
            "f",
            torch.zeros(3),
            "it.f is a strided tensor of torch.float32 of shape (3,), here .* of shape (2,)",
        ),
        ("f", torch.zeros(2, device="meta"), "it.f is a hollow tensor"),
        ("g", 1, "it.g is 1, expected bool"),
    ],
)
def test_what_is_of_another_kind_is_told_with_its_place(name: str, value: Any, said: str) -> None:
    [found] = unlike({**OURS, name: value}, OURS, "it")
    assert found.startswith(said.partition(" .* ")[0])


def test_a_tensor_with_a_number_at_each_place() -> None:
    assert is_whole(torch.zeros(2))
    others = (
        torch.zeros(2, device="meta"),
        torch.ones(2).to_sparse(),
        torch.zeros(2, dtype=torch.complex64),
        [0],
    )
    assert not any(map(is_whole, others))


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.RMSprop])
def test_what_an_optimiser_saved_itself_is_like_it(kind: type[torch.optim.Optimizer]) -> None:
    model = nn.Linear(2, 3)
    fresh, stepped = (kind(model.parameters(), lr=0.1) for _ in range(2))  # type: ignore[call-arg]
    model(torch.ones(1, 2)).sum().backward()
    stepped.step()
    saved = copy.deepcopy(stepped.state_dict())
    saved["param_groups"][0]["lr"] = 0.01  # as after some epochs
    assert list(unlike_optimizer(saved, fresh, "optimizer")) == []
    saved["param_groups"][0]["weight_decay"] = 5.0
    [found] = unlike_optimizer(saved, fresh, "optimizer")
    assert found.startswith("optimizer.param_groups[0].weight_decay is 5.0, here 0")
