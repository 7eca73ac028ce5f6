"""People of the training set that are left out of training, so that the best checkpoint is chosen without the test set."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from yacs.config import CfgNode

from reidar_plugin.data.loader import ClipLoader
from reidar_plugin.data.manager import ClipDataManager, manager_arguments
from reidar_plugin.data.packed_clips import FullBatches, PackedClips, plan_clips
from reidar_plugin.data.samplers import EpochOrder, build_order
from reidar_plugin.data.tracklet_table import TrackletTable
from reidar_plugin.errors import ConfigError

__all__ = ["HELD_OUT", "PartOfOrder", "held_out_people", "hold_out", "trained_labels"]

#: What the people who are left out are called among the targets.
HELD_OUT = "held-out"


class PartOfOrder:
    """An order of some tracklets, in the places that they have among all.

    Args:
        order: of the chosen tracklets, numbered among themselves.
        places: of the chosen tracklets among all.
    """

    def __init__(self, order: EpochOrder, places: list[int]) -> None:
        self.order, self.places = order, places

    def set_epoch(self, epoch: int) -> None:
        """See :class:`~reidar_plugin.data.samplers.EpochOrder`."""
        self.order.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[int]:
        return (self.places[place] for place in self.order)


def held_out_people(table: TrackletTable, share: float, seed: int) -> set[int]:
    """Which people are left out: a share of those that two cameras or more have seen, the same for the same seed.

    Args:
        table: of the training tracklets.
        share: of all people, 0 to 1.
        seed: of the run.
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
    table, given = data.train_table, manager_arguments(cfg)
    people = held_out_people(table, cfg.reidar.train.held_out, cfg.train.seed)
    samples = [(paths, int(table.pids[n]), int(table.camids[n]), 0) for n, paths in enumerate(table.paths)]
    kept = [place for place, sample in enumerate(samples) if sample[1] not in people]
    order = build_order(
        given["train_sampler"],
        [samples[place] for place in kept],
        batch_size=given["batch_size_train"],
        num_instances=given["num_instances"],
        num_cams=given["num_cams"],
        num_datasets=given["num_datasets"],
        labels=table.labels[kept].numpy(),
        power=given["balance_power"],
        seed=given["seed"],
    )
    data.train_loader.batches.order = PartOfOrder(order, kept)
    data.train_loader.set_epoch(0)
    gallery = [sample for sample in samples if sample[1] in people]
    query = list(
        {(pid, camid): (paths, pid, camid, d) for paths, pid, camid, d in reversed(gallery)}.values()
    )
    sides = {"query": _loader(data, query, given), "gallery": _loader(data, gallery, given)}
    data.test_loader = {HELD_OUT: sides, **data.test_loader}


def trained_labels(data: ClipDataManager) -> Tensor:
    """Labels ``(N, M)`` of the tracklets that training visits."""
    labels, order = data.train_table.labels, data.train_loader.batches.order
    return labels[torch.tensor(order.places)] if isinstance(order, PartOfOrder) else labels


def _loader(data: ClipDataManager, samples: list[Any], given: dict[str, Any]) -> ClipLoader:
    table = TrackletTable(samples, data.space, data.attribute_space)
    sizes = [len(paths) for paths in table.paths]
    plan = plan_clips(sizes, given["seq_len"], given["test_clips"], given["test_max_clips"])
    packed = PackedClips(table, data.train_loader.reader, plan)
    batches = FullBatches(len(packed), given["batch_size_test"])
    return ClipLoader(
        packed, batches, workers=given["workers"], pin=data.use_gpu, start_method=given["start_method"]
    )
