"""What runs will cost: a few steps of each variant are timed, and what there is to do is counted on its data."""

import contextlib
import io
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch

from reidar_plugin.data.manager import ClipDataManager
from reidar_plugin.engine.build import build_objective
from reidar_plugin.engine.train_step import TrainStep
from reidar_plugin.host import reid
from reidar_plugin.inference.precision import Precision
from reidar_plugin.launch.runs import Run
from reidar_plugin.plugin import registration
from reidar_plugin.structures import Targets

__all__ = ["Cost", "cost_lines", "estimate"]


class Cost(NamedTuple):
    """What a run takes, measured before it starts."""

    steps: int
    step_seconds: float
    test_batches: int
    batch_seconds: float
    device: str = "cpu"  #: type of the device that was measured

    @property
    def seconds(self) -> float:
        """Training and one test."""
        return self.steps * self.step_seconds + self.test_batches * self.batch_seconds


def estimate(run: Run, steps: int = 3) -> Cost:
    """Measure a few steps and test batches of a run on made-up frames, on the device and in the precision that it will
    have, and count what it will do on its data set.

    Args:
        run: whose data set is there already.
        steps: of each kind that are timed, after one that is not.
    """
    cfg = run.cfg()
    registration.enable(cfg, quiet=True)
    with contextlib.redirect_stdout(io.StringIO()):  # the host prints a table of each data set
        data = ClipDataManager.from_config(cfg)
    device = torch.device("cuda" if cfg.use_gpu and torch.cuda.is_available() else "cpu")
    options = cfg.reidar.train
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    model = reid.models.build_model(
        cfg.model.name, data.num_train_pids, cfg.loss.name, pretrained=False, use_gpu=False
    ).to(device, memory_format=layout)
    objective = build_objective(cfg, data, model).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    precision = Precision(options.precision, device)
    step = TrainStep(model, objective, [optimizer], precision)
    clips, test = cfg.train.batch_size, cfg.test.batch_size
    table, size = data.train_table, (cfg.video.seq_len, 3, cfg.data.height, cfg.data.width)
    chosen = torch.arange(clips) % len(table)
    erased = torch.zeros(clips, size[0], dtype=torch.bool)
    known = (table.pids[chosen], table.labels[chosen], table.attributes[chosen], erased)
    targets = Targets(*(part.to(device) for part in known))
    frames = torch.randn(clips, *size, device=device)
    train = _seconds(lambda: step(frames, targets), steps, device)
    frames = torch.randn(test, *size, device=device)
    model.eval()
    with torch.no_grad(), precision.autocast():
        tested = _seconds(lambda: model(frames), steps, device)
    judged = [loader for parts in data.test_loader.values() for loader in parts.values()]
    if (
        cfg.reidar.model.num_actions and cfg.reidar.test.thresholds == "train"
    ):  # chosen on what was trained on
        judged.append(data.evaluation_loader(table))
    batches = sum(map(len, judged))
    epochs = 0 if cfg.test.evaluate else cfg.train.max_epoch
    return Cost(len(data.train_loader) * epochs, train, batches, tested, device.type)


def cost_lines(left: Sequence[Run], at_once: int, measure: Callable[[Run], Cost] = estimate) -> Iterator[str]:
    """What the runs that are left will take, a line a variant and one for all.

    Args:
        left: the runs that are not done; a variant is measured on the first of its own.
        at_once: runs at the same time.
        measure: of a run.
    """
    samples = {run.variant: run for run in reversed(left)}
    costs = {name: measure(run) for name, run in samples.items()}
    for name, cost in costs.items():
        yield (
            f"  {name}: {cost.steps:,} steps of {cost.step_seconds:.2f} s and a test of {cost.test_batches:,} batches of "
            f"{cost.batch_seconds:.2f} s, {cost.seconds / 60:.0f} minutes a run"
        )
    total = sum(costs[run.variant].seconds for run in left)
    if left and any(cost.device == "cuda" for cost in costs.values()):
        yield f"  together {total / 3600:.1f} hours of a GPU, by one run at a time; at once they share it"
    elif left:
        yield f"  together {total / 3600:.1f} hours of a core, {total / at_once / 3600:.1f} with {at_once} at once"


def _seconds(call: Callable[[], object], times: int, device: torch.device) -> float:
    def done() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    call()
    start = done()
    for _ in range(times):
        call()
    return (done() - start) / times
