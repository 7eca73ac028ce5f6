"""Batch normalisation over the clips of all ranks, against torch's own layer that sees them all."""

from typing import Any

import pytest
import torch
from torch import nn

from reidar_plugin.models.heads import ShiftlessBatchNorm1d
from reidar_plugin.ranks.batch_norm import SyncedBatchNorm, pooled_moments, sync_batch_norms
from reidar_plugin.ranks.job import Job
from tests.ranks.rig import NORMS, layer_results


@pytest.mark.parametrize("name", NORMS)
def test_two_ranks_normalise_as_one(name: str, two_ranks: list[dict[str, Any]]) -> None:
    out, gradient, *running = layer_results(name)
    assert gradient.abs().max() > 0.1  # else nothing is compared
    for rank, each in enumerate(two_ranks):
        part = Job(rank, 2).part(len(out))
        mine, its_gradient, *its_running = each["norms"][name]
        torch.testing.assert_close(mine, out[part], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(its_gradient, gradient[part], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(its_running, running, rtol=1e-5, atol=1e-5)


def test_layers_keep_names_parameters_and_modes() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4).eval(), ShiftlessBatchNorm1d(4))
    before = network.state_dict()
    parameters = list(network.parameters())
    assert (sync_batch_norms(network), sync_batch_norms(network)) == (2, 0)
    assert [id(each) for each in network.parameters()] == [id(each) for each in parameters]
    assert list(network.state_dict()) == list(before)
    assert (network[1].training, network[2].training) == (False, True)


def test_one_rank_is_torchs_layer() -> None:
    features = torch.randn(6, 3, 2, 2)
    own, layer = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
    synced = SyncedBatchNorm.of(layer)
    torch.testing.assert_close(synced(features), own(features), rtol=1e-5, atol=1e-5)
    assert torch.equal(synced.eval()(features), layer.eval()(features))
    mean, var = torch.tensor([1.0]), torch.tensor([2.0])
    assert pooled_moments(mean, var) == (mean, var)


def test_a_layer_that_nothing_reads_gets_no_gradient() -> None:
    layer = SyncedBatchNorm.of(nn.BatchNorm1d(3))
    features = torch.randn(4, 3, requires_grad=True)
    read, unread = nn.Linear(3, 2), layer(features)
    torch.stack([read(features).sum(), unread.detach().sum()]).sum().backward()
    assert layer.weight.grad is None
