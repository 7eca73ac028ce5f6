import pytest
import torch

from reidar_plugin.engine.schedule import WarmupSteps, warmup_steps
from reidar_plugin.errors import ConfigError


def optimizer(*rates: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(
        [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates or (3.5e-4,)]
    )


def rates(schedule: WarmupSteps, epochs: int) -> list[float]:
    """Learning rate of the first group in each epoch."""
    found = []
    for _ in range(epochs):
        found.append(schedule.optimizer.param_groups[0]["lr"])
        schedule.optimizer.step()
        schedule.step()
    return found


def test_the_papers_rates_by_hand() -> None:
    found = rates(WarmupSteps(optimizer()), 120)
    assert found[0] == pytest.approx(3.5e-4 * (0.01 * 0.9 + 0.1))  # 3.8e-5, the released code's first epoch
    assert found[4] == pytest.approx(3.5e-4 * 0.505)
    assert found[9] == found[38] == pytest.approx(3.5e-4)  # epochs 10 and 39
    assert found[39] == found[68] == pytest.approx(3.5e-5)  # epochs 40 and 69
    assert found[69] == found[119] == pytest.approx(3.5e-6)


def test_not_3d_reid_starts_at_a_tenth() -> None:
    assert rates(WarmupSteps(optimizer(), start=0.0), 1) == [pytest.approx(3.5e-5)]


@pytest.mark.parametrize(("epoch", "factor"), [(1, 1.0), (2, 0.5), (3, 0.25), (9, 0.25)])
def test_without_warm_up(epoch: int, factor: float) -> None:
    assert warmup_steps(epoch, warmup=0, milestones=(2, 3), gamma=0.5) == factor


def test_groups_keep_their_proportion() -> None:
    schedule = WarmupSteps(optimizer(1.0, 0.1), warmup=2, start=0.0)
    assert [group["lr"] for group in schedule.optimizer.param_groups] == pytest.approx([0.5, 0.05])


@pytest.mark.parametrize("epochs", [0, 7, 40])
def test_state_and_go_to_agree_with_stepping(epochs: int) -> None:
    stepped = WarmupSteps(optimizer())
    rates(stepped, epochs)
    loaded = WarmupSteps(optimizer())
    loaded.optimizer.load_state_dict(stepped.optimizer.state_dict())
    loaded.load_state_dict(stepped.state_dict())
    jumped = WarmupSteps(optimizer())
    jumped.go_to(epochs)
    expected = rates(stepped, 40)
    assert rates(loaded, 40) == expected
    assert rates(jumped, 40) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"warmup": -1}, "got -1 epochs from 0.01"),
        ({"start": 2.0}, "got 10 epochs from 2.0"),
        ({"milestones": (70, 40)}, r"got \[70, 40\] and 0.1"),
        ({"gamma": 0.0}, r"got \[40, 70\] and 0.0"),
    ],
)
def test_refuses(options: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        WarmupSteps(optimizer(), **options)
