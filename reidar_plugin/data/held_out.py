"""People of the training set that are left out of training, so that the best checkpoint is chosen without the test set."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from yacs.config import CfgNode

from reidar_plugin.data.manager import ClipDataManager
from reidar_plugin.data.samplers import EpochOrder
from reidar_plugin.data.tracklet_table import TrackletTable
from reidar_plugin.errors import ConfigError

__all__ = ["HELD_OUT", "PartOfOrder", "held_out_people", "hold_out", "trained_labels"]

#: What the people who are left out are called among the targets.
HELD_OUT = "held-out"


class PartOfOrder:
    """An order of some of the tracklets, given as indices into the list of all.

    Args:
        order: an order of the chosen tracklets, numbered from 0 among themselves.
        indices: index of each chosen tracklet in the list of all.
    """

    def __init__(self, order: EpochOrder, indices: list[int]) -> None:
        self.order, self.indices = order, indices

    def set_epoch(self, epoch: int) -> None:
        """See :class:`~reidar_plugin.data.samplers.EpochOrder`."""
        self.order.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[int]:
        return (self.indices[chosen] for chosen in self.order)


def held_out_people(table: TrackletTable, share: float, seed: int) -> set[int]:
    """Which people are left out: a share of those that two cameras or more have seen, the same for the same seed.

    Args:
        table: table of the training tracklets.
        share: share of all people, 0 to 1.
        seed: seed of the run.
    """
    cameras: dict[int, set[int]] = {}
    for pid, camid in zip(table.pids[:-1].tolist(), table.camids[:-1].tolist(), strict=True):
        cameras.setdefault(pid, set()).add(camid)
    seen_twice = sorted(pid for pid, seen in cameras.items() if len(seen) > 1)
    wanted = round(share * len(cameras))
    if not 0 < wanted <= len(seen_twice) or wanted == len(cameras):
        raise ConfigError(
            f"reidar.train.held_out {share:g} asks for {wanted} of {len(cameras)} training people, of whom "
            f"{len(seen_twice)} were seen by two cameras; expected a share that leaves some on both sides"
        )
    return set(np.random.default_rng(seed).permutation(seen_twice)[:wanted].tolist())


def hold_out(data: ClipDataManager, cfg: CfgNode) -> None:
    """Leave people out of the manager's training order, and put them first among its targets.

    Each of their tracklets is in the gallery, the first one of each camera is a query too. The classifier keeps its
    rows for them, which no clip ever asks for. Does nothing where ``reidar.train.held_out`` is 0.
    """
    if not cfg.reidar.train.held_out:
        return
    table = data.train_table
    people = held_out_people(table, cfg.reidar.train.held_out, cfg.train.seed)
    samples = table.samples()
    kept = [index for index, sample in enumerate(samples) if sample[1] not in people]
    order = data.training_order([samples[index] for index in kept], table.labels[kept])
    data.train_loader.batches.order = PartOfOrder(order, kept)
    data.train_loader.set_epoch(0)
    gallery = [sample for sample in samples if sample[1] in people]
    query = list(
        {(pid, camid): (paths, pid, camid, d) for paths, pid, camid, d in reversed(gallery)}.values()
    )
    sides = {"query": query, "gallery": gallery}
    loaders = {
        side: data.evaluation_loader(TrackletTable(chosen, data.space, data.attribute_space))
        for side, chosen in sides.items()
    }
    data.test_loader = {HELD_OUT: loaders, **data.test_loader}


def trained_labels(data: ClipDataManager) -> Tensor:
    """Labels ``(N, M)`` of the tracklets that training visits."""
    labels, order = data.train_table.labels, data.train_loader.batches.order
    return labels[torch.tensor(order.indices)] if isinstance(order, PartOfOrder) else labels
