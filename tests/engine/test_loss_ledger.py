import math

import pytest
import torch

from reidar_plugin.engine.loss_ledger import LossLedger, NonFiniteLossError


def ledger(**options: object) -> LossLedger:
    return LossLedger(("ranked_list", "loss", "gradient_norm"), lambda place: f"T{place:04d}", **options)


def test_reads_in_order_and_keeps_means() -> None:
    kept = ledger()
    kept.add(4, torch.tensor([0, 1]), torch.tensor([1.0, 2.0, 3.0]))
    kept.add(5, torch.tensor([2, 3]), torch.tensor([3.0, 6.0, 5.0]))
    steps = kept.settle()
    assert [(step.step, step.values["loss"]) for step in steps] == [(4, 2.0), (5, 6.0)]
    assert kept.means() == {"ranked_list": 2.0, "loss": 4.0, "gradient_norm": 4.0}
    assert kept.settle() == []
    kept.start_epoch()
    assert kept.means()["loss"] == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_names_the_first_bad_step_its_term_and_tracklets(bad: float) -> None:
    kept = ledger()
    kept.add(0, torch.tensor([7]), torch.tensor([1.0, 1.0, 1.0]))
    kept.add(1, torch.tensor([9, 8, 9]), torch.tensor([bad, math.nan, math.nan]))
    kept.add(2, torch.tensor([5]), torch.tensor([1.0, math.nan, 1.0]))
    with pytest.raises(NonFiniteLossError, match=f"ranked_list is {bad} at step 2; tracklets T0008, T0009$"):
        kept.settle()


def test_a_scaled_gradient_may_be_infinite() -> None:
    values = torch.tensor([1.0, 1.0, math.inf])
    tolerant, strict = ledger(unchecked=("gradient_norm",)), ledger()
    tolerant.add(0, torch.tensor([0]), values)
    strict.add(0, torch.tensor([0]), values)
    assert len(tolerant.settle()) == 1
    with pytest.raises(NonFiniteLossError, match=r"gradient_norm is inf"):
        strict.settle()


def test_goes_on_with_the_sums_of_its_own_terms_only() -> None:
    kept, again = ledger(), ledger()
    kept.add(0, torch.tensor([0]), torch.tensor([1.0, 2.0, 3.0]))
    kept.settle()
    again.load_state_dict(kept.state_dict())
    assert again.means() == kept.means()
    other = LossLedger(("loss",), str)
    other.load_state_dict(kept.state_dict())
    assert (other.count, other.sums) == (0, [0.0])
