"""The memory column of S2DN."""

from pathlib import Path

import pytest
import torch
from torch import nn

from reidar_plugin.launch import subprocesses
from tools.measures import activations as counting

ROOT = Path(__file__).resolve().parents[2]


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 4), nn.ReLU())

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.layers(x)
        return hidden, hidden[:, :1]


def test_every_layer_and_block_counts_once() -> None:
    model = nn.Sequential(Block(), nn.Identity())
    # of 2 rows: 4 from the linear layer, 4 from the ReLU, 5 from the block, 5 from what hands it on
    assert counting.count_activations(model, torch.zeros(2, 3)) == 2 * (4 + 4 + 5 + 5)


def test_activations_count_there_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "count_activations", lambda model, frames: 3 * 2**20)
    cfg = subprocesses.merged(ROOT / "configs/s2dn/mars.yaml", ["model.name", "reidar_osnet_x0_25"])
    assert counting.sizes(cfg, people=10)[2] == 2 * 4 * 3


def test_sizes_of_a_config() -> None:
    cfg = subprocesses.merged(ROOT / "configs/s2dn/mars.yaml", ["model.name", "reidar_osnet_x0_25"])
    parameters, frames, activations, megabytes = counting.sizes(cfg, people=10)
    assert megabytes == 4 * parameters / 2**20
    assert frames == 32 * 3 * 224 * 112 * 4 / 2**20
    assert activations > 2 * 4 * 128 * 14 * 7 / 2**20  # the last maps alone, there and back
    assert counting.sizes(cfg, people=11)[0] - parameters == 128  # a row of the classifier
