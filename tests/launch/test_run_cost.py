"""What runs will cost."""

from pathlib import Path

import pytest
import torch

from reidar_plugin.launch.bench_plan import Variants
from reidar_plugin.launch.run_cost import Cost, cost_lines, estimate
from reidar_plugin.synthped import make
from tests.launch.bench_rig import runs_of, variants

__all__ = ["variants"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with their street."""
    folder = tmp_path_factory.mktemp("cost")
    make(folder / "data", "tiny", folder="synthped")
    return folder


def test_estimates_from_the_data_that_is_there(variants: Variants, place: Path) -> None:
    cost = estimate(runs_of(variants, place)[1], steps=1)
    assert cost.steps == 3 * (10 // 4)
    assert cost.test_batches > 10
    assert cost.seconds == pytest.approx(
        cost.steps * cost.step_seconds + cost.test_batches * cost.batch_seconds
    )
    assert min(cost[:4]) > 0
    assert cost.device == ("cuda" if torch.cuda.is_available() else "cpu")


def test_thresholds_chosen_in_training_are_a_test_more(variants: Variants, place: Path) -> None:
    runs = []
    for chosen in ("half", "train"):
        variants.options["joint"][:] = ["reidar.test.thresholds", chosen]
        runs.append(estimate(runs_of(variants, place)[1], steps=1))
    assert runs[1].test_batches > runs[0].test_batches


def test_adds_up_what_is_left(variants: Variants, tmp_path: Path) -> None:
    costs = {"alone": Cost(1000, 0.2, 100, 0.4), "joint": Cost(1000, 0.5, 100, 0.4)}
    runs, asked = runs_of(variants, tmp_path), []

    def measured(run: object) -> Cost:
        asked.append(run)
        return costs[run.variant]

    lines = list(cost_lines(runs[1:], 2, measured))
    assert [(run.variant, run.seed) for run in asked] == [("joint", 1), ("alone", 2)]
    assert lines[0].endswith("1,000 steps of 0.50 s and a test of 100 batches of 0.40 s, 9 minutes a run")
    seconds = 240 + 2 * 540  # alone with seed 2, joint with seeds 1 and 2
    assert (
        lines[-1] == f"  together {seconds / 3600:.1f} hours of a core, {seconds / 7200:.1f} with 2 at once"
    )
    assert list(cost_lines([], 2, measured)) == []
    costs = {name: cost._replace(device="cuda") for name, cost in costs.items()}
    *_, last = cost_lines(runs[1:], 2, measured)
    assert (
        last == f"  together {seconds / 3600:.1f} hours of a GPU, by one run at a time; at once they share it"
    )
