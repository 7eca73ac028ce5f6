"""The ranked list loss against a loop over its queries, and the kernels of the whole objective.

    python tools/benchmark.py losses
    python tools/benchmark.py losses --clips 64 --rounds 51 --device cuda

Both sides run forward and backward in turn, A B A B, some steps a turn, on the same features in the same process;
value and gradient are compared before any time is printed; times are medians over the turns. The loop is the paper's
definition read literally: one query at a time, its non-trivial positives and negatives picked by boolean masks.
Kernels are aten calls, forward and backward together.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from tabulate import tabulate
from torch import Tensor

from reidar_plugin.config import reidar_node
from reidar_plugin.losses import Objective, ranked_list_loss
from reidar_plugin.structures import JointOutput, Targets

from .kernels import KernelCalls

__all__ = ["add_arguments", "run"]

Loss = Callable[[Tensor, Tensor], Tensor]

MARGIN, ALPHA, TEMPERATURE = 1.3, 2.0, 1.0  # of the papers
CLIPS_A_PERSON = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument("--clips", type=int, nargs="+", default=[32, 64, 256], help="batch sizes")
    parser.add_argument("--width", type=int, default=2048, help="width of a feature")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each side")
    parser.add_argument("--steps", type=int, default=10, help="steps in a turn")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--device", default="cpu", help="where to run")


def run(args: argparse.Namespace) -> None:
    """Measure and print."""
    torch.set_num_threads(args.threads)
    print(f"torch {torch.__version__}, {args.threads} thread(s), {args.device}")
    rows = [_compare(clips, args) for clips in args.clips]
    print(tabulate(rows, headers="keys", floatfmt=".3g"))
    print()
    print(tabulate(_kernel_rows(args), headers="keys"))


def ranked_list_by_query(features: Tensor, pids: Tensor) -> Tensor:
    """Not 3D Re-ID, equations 5 to 10, with a loop over the queries."""
    features = F.normalize(features)
    distances = torch.cdist(features, features)
    total = features.new_zeros(())
    for query in range(len(pids)):
        same = pids == pids[query]
        same[query] = False
        pull = distances[query][same & (distances[query] > ALPHA - MARGIN)] - (ALPHA - MARGIN)
        push = ALPHA - distances[query][(pids != pids[query]) & (distances[query] < ALPHA)]
        if len(pull):
            total = total + pull.mean()
        if len(push):
            weights = torch.exp(TEMPERATURE * push)
            total = total + (weights * push).sum() / weights.sum()
    return total / len(pids)


def ranked_list_at_once(features: Tensor, pids: Tensor) -> Tensor:
    """The package's."""
    return ranked_list_loss(features, pids, margin=MARGIN, alpha=ALPHA, temperature=TEMPERATURE)


def _compare(clips: int, args: argparse.Namespace) -> dict[str, Any]:
    features, pids = _batch(clips, args)
    sides: dict[str, Loss] = {"loop": ranked_list_by_query, "ours": ranked_list_at_once}
    difference = _check_equal(features, pids)
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(args.rounds):
        for name, loss in sides.items():
            times[name].append(_timed(loss, features, pids, args.steps))
    loop, ours = (1000 * statistics.median(times[name]) for name in ("loop", "ours"))
    return {
        "clips": clips,
        "loop ms": loop,
        "ours ms": ours,
        "ratio": loop / ours,
        "loop kernels": _kernels(lambda: _step(sides["loop"], features, pids)),
        "our kernels": _kernels(lambda: _step(sides["ours"], features, pids)),
        "value differs by": difference,
    }


def _batch(clips: int, args: argparse.Namespace) -> tuple[Tensor, Tensor]:
    """Clips of one person lean to one side, as features do in training."""
    generator = torch.Generator().manual_seed(clips)
    people = -(-clips // CLIPS_A_PERSON)
    pids = torch.arange(people).repeat_interleave(CLIPS_A_PERSON)[:clips]
    centres = torch.randn(people, args.width, generator=generator)
    features = torch.randn(clips, args.width, generator=generator) + 0.8 * centres[pids]
    return features.to(args.device), pids.to(args.device)


def _step(loss: Loss, features: Tensor, pids: Tensor) -> tuple[Tensor, Tensor]:
    features = features.detach().requires_grad_()
    value = loss(features, pids)
    return value.detach(), torch.autograd.grad(value, features)[0]


def _check_equal(features: Tensor, pids: Tensor) -> float:
    """How far the values are apart, relatively; an error beyond 1e-6, or 1e-5 for the gradients."""
    (loop, loop_gradient), (ours, our_gradient) = (
        _step(loss, features, pids) for loss in (ranked_list_by_query, ranked_list_at_once)
    )
    value = ((loop - ours).abs() / loop.abs()).item()
    gradient = ((loop_gradient - our_gradient).norm() / loop_gradient.norm()).item()
    if value > 1e-6 or gradient > 1e-5:
        raise SystemExit(f"the two sides differ: value by {value:.1e}, gradient by {gradient:.1e}")
    return value


def _timed(loss: Loss, features: Tensor, pids: Tensor, steps: int) -> float:
    """Seconds a step: of this process on the CPU, which a busy machine disturbs less; of the clock on a GPU."""
    clock = time.perf_counter if features.is_cuda else time.process_time
    _wait(features)
    start = clock()
    for _ in range(steps):
        _step(loss, features, pids)
    _wait(features)
    return (clock() - start) / steps


def _wait(features: Tensor) -> None:
    if features.is_cuda:
        torch.cuda.synchronize()


def _kernels(step: Callable[[], Any]) -> int:
    with KernelCalls() as calls:
        step()
    return calls.all


def _kernel_rows(args: argparse.Namespace) -> list[dict[str, int]]:
    """The paper's objective, default config: calls of a step by batch size and number of actions."""
    return [
        {
            "clips": clips,
            "actions": actions,
            "kernels of the objective": _objective_kernels(clips, actions, args),
        }
        for clips in args.clips
        for actions in (3, 8)
    ]


def _objective_kernels(clips: int, actions: int, args: argparse.Namespace) -> int:
    features, pids = _batch(clips, args)
    features.requires_grad_()
    scores = torch.rand(clips, 4, device=args.device, requires_grad=True)
    labels = F.one_hot(pids % actions, actions).float()
    output = JointOutput(
        logits=torch.randn(clips, 625, device=args.device, requires_grad=True),
        feature=features,
        pooled=features,
        scores=scores,
        attention=scores.softmax(dim=1),
        action_logits=torch.randn(clips, actions, device=args.device, requires_grad=True),
        action_hidden=torch.randn(clips, actions, 512, device=args.device, requires_grad=True),
    )
    targets = Targets(pids, labels, labels.new_empty(clips, 0), scores.detach() > 0.5)
    objective = Objective.from_config(
        reidar_node().loss,
        num_classes=625,
        feature_dim=args.width,
        num_actions=actions,
        hidden_dim=512,
        counts=[1.0] * actions,
        total=625,
    ).to(args.device)
    return _kernels(lambda: objective(output, targets)[0].backward())
