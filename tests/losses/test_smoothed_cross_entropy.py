import math

import pytest
import torch
import torch.nn.functional as F

from reidar_plugin.losses import SmoothedCrossEntropy, smoothed_cross_entropy

LOGITS = torch.randn(4, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
PIDS = [6, 0, 3, 3]


def definition(logits: list[list[float]], pids: list[int], epsilon: float, spread_over: int) -> float:
    """Supplementary equations 1 and 2, one clip and one identity at a time."""
    total = 0.0
    for row, pid in zip(logits, pids, strict=True):
        norm = sum(math.exp(z) for z in row)
        for k, z in enumerate(row):
            q = (1 - epsilon if k == pid else 0) + epsilon / spread_over
            total -= q * math.log(math.exp(z) / norm)
    return total / len(logits)


@pytest.mark.parametrize(("spread", "n"), [("classes", 7), ("batch", 4)])
@pytest.mark.parametrize("epsilon", [0.1, 0.45])
def test_matches_the_definition(spread: str, n: int, epsilon: float) -> None:
    value = smoothed_cross_entropy(LOGITS, torch.tensor(PIDS), epsilon, spread)  # type: ignore[arg-type]
    assert value.item() == pytest.approx(definition(LOGITS.tolist(), PIDS, epsilon, n), rel=1e-12)


def test_the_papers_target_of_the_true_class_is_torchs() -> None:
    """1 - (N - 1) / N * epsilon, as the paper prints it, is 1 - epsilon + epsilon / N."""
    n, epsilon = 7, 0.1
    assert 1 - (n - 1) / n * epsilon == pytest.approx(1 - epsilon + epsilon / n)


@pytest.mark.parametrize("spread", ["classes", "batch"])
def test_without_epsilon_it_is_plain_cross_entropy(spread: str) -> None:
    pids = torch.tensor(PIDS)
    value = smoothed_cross_entropy(LOGITS, pids, 0.0, spread)  # type: ignore[arg-type]
    torch.testing.assert_close(value, F.cross_entropy(LOGITS, pids))


def test_by_hand() -> None:  # two classes, even logits: every target costs ln 2
    assert smoothed_cross_entropy(torch.zeros(1, 2), torch.tensor([1])).item() == pytest.approx(math.log(2))
    released = smoothed_cross_entropy(torch.zeros(1, 2), torch.tensor([1]), 0.1, "batch")
    assert released.item() == pytest.approx(1.1 * math.log(2))  # 0.9 + 0.1 / 1 twice


@pytest.mark.parametrize(("pids", "said"), [([0, 7], r"0\.\.6 .*got 0\.\.7"), ([-1, 2], r"got -1\.\.2")])
def test_names_the_pid_that_has_no_class(pids: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        smoothed_cross_entropy(torch.zeros(2, 7), torch.tensor(pids))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((1.0, "classes"), r"\[0, 1\), got 1.0"), ((0.1, "all"), "'all'; choose one of 'classes', 'batch'")],
)
def test_refuses(arguments: tuple[float, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SmoothedCrossEntropy(*arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=said):
        smoothed_cross_entropy(torch.zeros(2, 7), torch.tensor([0, 1]), *arguments)  # type: ignore[arg-type]
