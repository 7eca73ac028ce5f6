"""Several ranks on this machine, what they do in tests, and the same done by one."""

import os
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, multiprocessing, nn
from torch.optim import SGD, Adam

from reidar_plugin.config import add_reidar_config
from reidar_plugin.engine.train_step import TrainStep, centre_optimizers
from reidar_plugin.host import defaults
from reidar_plugin.inference.precision import Precision
from reidar_plugin.losses.objective import Objective
from reidar_plugin.losses.terms import TERMS
from reidar_plugin.models.heads import ActionNetwork, ShiftlessBatchNorm1d
from reidar_plugin.models.ibn import FusedIBN
from reidar_plugin.ranks import collectives
from reidar_plugin.ranks.batch_norm import sync_batch_norms
from reidar_plugin.ranks.job import current, joined
from reidar_plugin.ranks.outputs import gather_output
from reidar_plugin.structures import JointOutput, Targets
from tests import warm

__all__ = [
    "NORMS",
    "Everything",
    "batch",
    "diagnosed",
    "gradients",
    "layer_results",
    "on_ranks",
    "said",
    "trained",
    "what_ranks_do",
]

CLIPS, FRAMES, PEOPLE, ACTIONS, ATTRIBUTES = 8, 2, 5, 3, (2, 2)


def on_ranks(size: int, do: Callable[..., Any], *arguments: Any) -> list[Any]:
    """What ``do(*arguments)`` returns at each of so many ranks: plain values and tensors."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        given = (size, port, folder, do, arguments)
        multiprocessing.start_processes(_rank, given, size, start_method=warm.METHOD)
        return [torch.load(Path(folder, str(rank))) for rank in range(size)]


def _rank(rank: int, size: int, port: int, folder: str, do: Callable[..., Any], arguments: Any) -> None:
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in told.items()}, MASTER_ADDR="127.0.0.1")
    torch.set_num_threads(1)
    with joined():
        torch.save(do(*arguments), Path(folder, str(rank)))


class Everything(nn.Module):
    """A network that gives all that losses read, with every kind of batch statistics; no dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 6, 3))
        self.base = FusedIBN(nn.InstanceNorm2d(3, affine=True), nn.BatchNorm2d(3))
        self.score = nn.Linear(6, 1)
        self.bottleneck = ShiftlessBatchNorm1d(6)
        self.classifier = nn.Linear(6, PEOPLE, bias=False)
        self.actions = ActionNetwork(6, ACTIONS, width=4, dropout=0.0, activation="leaky_relu")
        self.attributes, self.pose = nn.Linear(6, sum(ATTRIBUTES)), nn.Linear(6, 3)

    def forward(self, frames: Tensor) -> JointOutput:
        maps = self.base(self.stem(frames.flatten(0, 1))).tanh()
        vectors = maps.mean(dim=(2, 3)).unflatten(0, frames.shape[:2])
        scores = self.score(vectors).squeeze(2)
        attention = scores.softmax(dim=1)
        pooled = (attention[..., None] * vectors).sum(dim=1)
        feature = self.bottleneck(pooled)
        acts = self.actions(feature)
        return JointOutput(
            self.classifier(feature),
            feature,
            pooled,
            scores,
            attention,
            acts.logits,
            acts.hidden,
            self.classifier.weight,
            self.attributes(pooled),
            self.pose(pooled),
            masks=maps,
        )


def batch(seed: int, dtype: torch.dtype) -> tuple[Tensor, Targets]:
    """Frames and targets of all clips; actions are known of the first five, so that ranks know unequally many."""
    numbers = torch.Generator().manual_seed(seed)
    frames = torch.randn(CLIPS, FRAMES, 3, 8, 6, generator=numbers, dtype=torch.float64).to(dtype)
    labels = (torch.rand(CLIPS, ACTIONS, generator=numbers) < 0.5).float()
    labels[:2] = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    labels[5:] = torch.nan
    attributes = torch.zeros(CLIPS, sum(ATTRIBUTES))
    attributes[:, ::2] = 1
    attributes[6] = torch.nan
    erased = torch.rand(CLIPS, FRAMES, generator=numbers) < 0.5
    erased[0, 0] = True
    return frames, Targets(torch.tensor([0, 0, 0, 1, 1, 1, 1, 4]), labels, attributes, erased)


def _step(terms: list[str], dtype: torch.dtype, optimise: bool, combine: str, diagnose: int = 0) -> TrainStep:
    torch.manual_seed(4)
    network = Everything().to(dtype)
    node = add_reidar_config(defaults.toolbox_config()).reidar.loss
    node.terms, node.combine, node.diagnose = terms, combine, diagnose
    node.weights = type(node.weights)(dict.fromkeys(TERMS, 1.0))
    objective = Objective.from_config(
        node,
        num_classes=PEOPLE,
        feature_dim=6,
        num_actions=ACTIONS,
        hidden_dim=4,
        counts=[5.0, 9.0, 2.0],
        total=12,
        attributes=ATTRIBUTES,
    ).to(dtype)
    if current().size > 1:
        sync_batch_norms(network)
    model = Adam(network.parameters(), lr=1e-3) if optimise else SGD(network.parameters(), lr=0.0)
    centres = centre_optimizers(objective) if optimise else []
    return TrainStep(network, objective, [model, *centres], Precision("float32", torch.device("cpu")))


def _learn(step: TrainStep, seed: int, dtype: torch.dtype) -> Tensor:
    frames, targets = batch(seed, dtype)
    return step(frames[current().part(CLIPS)], targets)


def gradients(dtype: torch.dtype) -> dict[str, dict[str, Tensor]]:
    """Of each term its value, and the gradient of every parameter of network and objective."""
    found = {}
    for name in TERMS:
        needs = ["identity_centre"] if name == "soft_mining" else []
        step = _step([name, *needs], dtype, False, "sum")
        values = _learn(step, 1, dtype)
        modules = {"network": step.network, "objective": step.objective}
        found[name] = {
            f"{part} {key}": parameter.grad
            for part, module in modules.items()
            for key, parameter in module.named_parameters()
            if parameter.grad is not None
        } | {"values": values}
    return found


def diagnosed() -> Tensor:
    """How the two sides pull at the part of the network that they share, as ``reidar.loss.diagnose`` has it."""
    step = _step(list(TERMS), torch.float32, False, "sum", diagnose=1)
    return _learn(step, 1, torch.float32)[-3:]


def trained(steps: int) -> dict[str, Tensor]:
    """Parameters, centres and running statistics after some steps on all terms at once, in float64."""
    step = _step(list(TERMS), torch.float64, True, "uncertainty")
    for seed in range(steps):
        _learn(step, seed, torch.float64)
    objective = {f"objective {key}": value for key, value in step.objective.state_dict().items()}
    return dict(step.network.state_dict()) | objective


def said(dtype: torch.dtype) -> JointOutput:
    """What the network says of all clips, in evaluation."""
    torch.manual_seed(4)
    network = Everything().to(dtype).eval()
    return gather_output(network(batch(1, dtype)[0][current().part(CLIPS)]))


def normalised(features: Tensor, layer: nn.Module, weights: Tensor) -> tuple[Tensor, ...]:
    """Output, gradients and running statistics of a layer of this rank."""
    part = current().part(len(features))
    mine = features[part].clone().requires_grad_()
    out = layer(mine)
    (out * weights[part]).sum().backward()
    gradient = mine.grad
    assert gradient is not None
    return out.detach(), gradient, *(value.clone() for value in layer.buffers())


def what_ranks_do() -> dict[str, Any]:
    """All that the tests of the ordinary suite compare with one rank."""
    rank = current().rank
    exchanged = {
        "place": str(current()),
        "prints to": sys.stdout.name,
        "total": collectives.total(rank + 1),
        "largest": collectives.largest(rank),
        "gathered": collectives.gathered(torch.tensor([rank, 7])),
        "average": [torch.full((2,), float(rank)), torch.full((1, 3), 4.0 * rank)],
        "first": torch.tensor([rank, 5]),
        "refused": "",
    }
    collectives.average(exchanged["average"])
    collectives.copy_from_first([exchanged["first"]])
    collectives.check_same("nothing", "equal")
    try:
        collectives.check_same("the file", f"file {rank}")
    except Exception as error:  # noqa: BLE001 - its words are compared
        exchanged["refused"] = str(error)
    return {
        "exchanged": exchanged,
        "output": {key: value for key, value in said(torch.float64)._asdict().items() if value is not None},
        "norms": {name: layer_results(name) for name in NORMS},
        "gradients": gradients(torch.float32),
        "trained": trained(20),
        "diagnosed": diagnosed(),
    }


NORMS: dict[str, tuple[type[nn.Module], tuple[int, ...], dict[str, Any]]] = {
    "1d": (nn.BatchNorm1d, (8, 5), {}),
    "2d": (nn.BatchNorm2d, (8, 5, 4, 3), {"momentum": None}),
    "3d": (nn.BatchNorm3d, (8, 5, 2, 4, 3), {"affine": False}),
}


def layer_results(name: str) -> tuple[Tensor, ...]:
    """Those of a batch normalisation far from zero, by name of :data:`NORMS`."""
    kind, shape, options = NORMS[name]
    numbers = torch.Generator().manual_seed(3)
    features = torch.randn(shape, generator=numbers) * 3 + 10
    weights = torch.randn(shape, generator=numbers)
    network = nn.Sequential(kind(5, **options))
    if len(shape) == 4:
        features = features.to(memory_format=torch.channels_last)
    if current().size > 1:
        assert sync_batch_norms(network) == 1
    return normalised(features, network, weights)
