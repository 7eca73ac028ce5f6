"""What ranks exchange."""

from typing import Any

import pytest
import torch
from torch import Tensor

from reidar_plugin.ranks import collectives, job
from reidar_plugin.ranks.collectives import LostRankError


@pytest.fixture
def second_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process, taken for a rank."""
    monkeypatch.setattr(job, "_current", job.Job(1, 2))


def test_two_ranks_exchange(two_ranks: list[dict[str, Any]]) -> None:
    for each in two_ranks:
        got = each["exchanged"]
        assert (got["total"], got["largest"]) == (3, 1)
        assert got["gathered"].tolist() == [[0, 7], [1, 7]]
        assert [tensor.tolist() for tensor in got["average"]] == [[0.5, 0.5], [[2.0, 2.0, 2.0]]]
        assert got["first"].tolist() == [0, 5]
        assert "on the file: 'file 0' at rank 0, 'file 1' at rank 1" in got["refused"]


def test_a_process_alone_keeps_what_it_has() -> None:
    tensor = torch.ones(3, requires_grad=True)
    assert collectives.gather(tensor)[0] is tensor
    collectives.average([tensor])
    collectives.check_same("anything", "text")
    assert (collectives.total(4), collectives.largest(4), tensor.tolist()) == (4, 4, [1.0] * 3)


def test_tensors_travel_in_buckets(second_of_two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    travelled = []

    def doubled(flat: Tensor) -> None:
        travelled.append(len(flat))
        flat *= 2

    monkeypatch.setattr(collectives, "BUCKET", 5)
    monkeypatch.setattr(collectives.distributed, "all_reduce", doubled)
    tensors = [torch.ones(2), torch.ones(1, 3).t(), torch.ones(7), torch.ones(1)]
    collectives.add_up(tensors)
    assert travelled == [5, 7, 1]
    assert all((tensor == 2).all() for tensor in tensors)


def test_a_rank_that_is_gone_is_told(second_of_two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object) -> None:
        raise RuntimeError("Connection closed by peer [127.0.0.1]:999")

    monkeypatch.setattr(collectives.distributed, "all_reduce", closed)
    with pytest.raises(LostRankError, match=r"the other ranks cannot be reached .*Connection closed by peer"):
        collectives.wait_for_all()
