"""Weights of the two sides, by themselves and inside an objective."""

import math

import pytest
import torch

from reidar_plugin.errors import ConfigError
from reidar_plugin.losses import ActionRamp, Objective, Uncertainty
from tests.losses.test_objective import SIZES, node, output, targets

TERMS = ["smoothed_cross_entropy", "identity_centre", "binary_cross_entropy", "action_centre"]


def objective(**changes: object) -> Objective:
    torch.manual_seed(0)
    return Objective.from_config(node(TERMS, **changes), **SIZES)


def test_uncertainty_weighs_as_its_formula_has_it() -> None:
    made = objective(combine="uncertainty")
    with torch.no_grad():
        made.side_weights.log_variances.copy_(torch.tensor([0.7, -0.4]))
    total, values = made(output(), targets())
    identity = values["smoothed_cross_entropy"] + 0.0005 * values["identity_centre"]
    action = values["binary_cross_entropy"] + 0.0005 * values["action_centre"]
    expected = math.exp(-0.7) * identity + math.exp(0.4) * action + 0.5 * (0.7 - 0.4)
    torch.testing.assert_close(total.detach(), expected)


def test_uncertainty_learns_until_a_side_costs_half() -> None:
    weights = Uncertainty(lr=0.1)
    optimizer = torch.optim.SGD(weights.parameters(), lr=weights.lr)
    for _ in range(500):
        sides = weights()
        loss = 3.0 * sides["identity"] + 0.2 * sides["action"] + weights.penalty()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert weights.log_variances.exp().tolist() == pytest.approx([6.0, 0.4], rel=1e-3)


def test_what_uncertainty_learnt_is_saved() -> None:
    made, other = objective(combine="uncertainty"), objective(combine="uncertainty")
    with torch.no_grad():
        made.side_weights.log_variances.fill_(0.3)
    other.load_state_dict(made.state_dict())
    assert other.side_weights.log_variances.tolist() == pytest.approx([0.3, 0.3])
    assert not any(key.startswith("side_weights") for key in objective().state_dict())


@pytest.mark.parametrize(
    ("start", "epochs", "weights"),
    [(0, 0, [1, 1, 1, 1]), (2, 0, [0, 0, 1, 1]), (0, 3, [0.25, 0.5, 0.75, 1]), (1, 1, [0, 0.5, 1, 1])],
)
def test_the_ramp_rises_by_epoch(start: int, epochs: int, weights: list[float]) -> None:
    ramp, found = ActionRamp(start, epochs), []
    for epoch in range(4):
        ramp.set_epoch(epoch)
        assert ramp()["identity"] == 1
        found.append(ramp()["action"])
    assert found == pytest.approx(weights)


def test_the_ramp_multiplies_what_balance_says() -> None:
    made, plain = objective(combine="ramp", balance=0.6, **{"ramp.start": 1, "ramp.epochs": 1}), objective()
    for epoch, weight in enumerate((0.0, 0.5, 1.0)):
        made.set_epoch(epoch)
        plain.set_epoch(epoch)  # which weighs both sides alike in every epoch
        total, values = made(output(), targets())
        identity = values["smoothed_cross_entropy"] + 0.0005 * values["identity_centre"]
        action = values["binary_cross_entropy"] + 0.0005 * values["action_centre"]
        torch.testing.assert_close(total.detach(), 0.6 * identity + weight * 0.4 * action)
        torch.testing.assert_close(plain(output(), targets())[0].detach(), 0.5 * identity + 0.5 * action)


@pytest.mark.parametrize("combine", ["balance", "sum", "uncertainty", "ramp"])
def test_centres_learn_at_their_own_pace(combine: str) -> None:
    made = objective(combine=combine, **{"ramp.epochs": 1})
    if combine == "uncertainty":
        torch.nn.init.constant_(made.side_weights.log_variances, 1.3)
    made(output(), targets())[0].backward()
    reference = objective(combine="sum")
    reference(output(), targets())[0].backward()
    for name in ("identity_centre", "action_centre"):
        torch.testing.assert_close(made.losses[name].centres.grad, reference.losses[name].centres.grad)


def test_a_side_that_weighs_nothing_moves_nothing() -> None:
    made = objective(combine="ramp", **{"ramp.start": 1})
    said = output()
    made(said, targets())[0].backward()
    assert said.action_logits.grad is None  # zeros would let weight decay take the action network away
    assert made.losses["action_centre"].centres.grad is None
    assert said.logits.grad.abs().sum() > 0


def test_the_sides_add_up_to_the_sum() -> None:
    for combine in ("balance", "sum", "ramp"):
        made = objective(combine=combine)
        sides = made.sides(output(), targets())
        torch.testing.assert_close(sides["identity"] + sides["action"], made(output(), targets())[0])


@pytest.mark.parametrize("combine", ["uncertainty", "ramp"])
def test_one_side_alone_is_the_plain_sum(combine: str) -> None:
    made = Objective.from_config(node(["smoothed_cross_entropy"], combine=combine), **SIZES)
    total, values = made(output(), targets())
    torch.testing.assert_close(total.detach(), values["smoothed_cross_entropy"])
    assert made.side_weights is None


def test_errors() -> None:
    with pytest.raises(ConfigError, match="'mean'; choose one of 'balance', 'sum', 'uncertainty', 'ramp'"):
        objective(combine="mean")
    with pytest.raises(ConfigError, match="must be > 0, got 0"):
        objective(combine="uncertainty", **{"uncertainty.lr": 0.0})
    with pytest.raises(ConfigError, match="start -1 and epochs 5"):
        objective(combine="ramp", **{"ramp.start": -1})
