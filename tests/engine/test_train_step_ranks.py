"""A step of several ranks is that of one: gradients of every term, and the weights after twenty steps."""

from typing import Any

import pytest
import torch
from torch import Tensor

from reidar_plugin.losses.terms import TERMS
from tests.ranks.rig import diagnosed, gradients, on_ranks, trained, what_ranks_do


@pytest.fixture(scope="module")
def one_rank() -> dict[str, dict[str, Tensor]]:
    return gradients(torch.float32)


def check_gradients(ranks: list[dict[str, Any]], name: str, expected: dict[str, Tensor]) -> None:
    slopes = [value for key, value in expected.items() if key != "values"]
    assert max(float(slope.abs().max()) for slope in slopes) > 1e-3  # the term is at work
    for each in ranks:
        got = each["gradients"][name]
        assert got.keys() == expected.keys()  # what a loss does not read has no gradient, rather than zeros
        for key, value in expected.items():
            torch.testing.assert_close(got[key], value, rtol=1e-5, atol=1e-5, msg=f"{name}: {key}")


def check_training(ranks: list[dict[str, Any]]) -> None:
    expected = trained(20)
    began = trained(0)
    still = [key for key, value in expected.items() if torch.equal(value, began[key])]
    # what tells pose and motion is only compared, and trains nothing here
    assert not {key for key in still if "pose" not in key and key.endswith((".weight", "centres"))}
    for each in ranks:
        assert each["trained"].keys() == expected.keys()
        for key, value in expected.items():
            torch.testing.assert_close(each["trained"][key], value, rtol=1e-4, atol=1e-4, msg=key)
            assert torch.equal(each["trained"][key], ranks[0]["trained"][key])  # no rank drifts away


@pytest.mark.parametrize("name", TERMS)
def test_gradients_of_every_term(
    name: str, two_ranks: list[dict[str, Any]], one_rank: dict[str, dict[str, Tensor]]
) -> None:
    check_gradients(two_ranks, name, one_rank[name])


def test_weights_after_twenty_steps(two_ranks: list[dict[str, Any]]) -> None:
    check_training(two_ranks)


def test_the_sides_are_measured_on_all_clips(two_ranks: list[dict[str, Any]]) -> None:
    for each in two_ranks:
        torch.testing.assert_close(each["diagnosed"], diagnosed(), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_four_ranks(one_rank: dict[str, dict[str, Tensor]]) -> None:
    ranks = on_ranks(4, what_ranks_do)
    for name in TERMS:
        check_gradients(ranks, name, one_rank[name])
    check_training(ranks)
