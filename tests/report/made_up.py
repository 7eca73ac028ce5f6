"""Results of a test on made-up features."""

import math

import torch
from yacs.config import CfgNode

from reidar_plugin.metrics.actions import evaluate_actions
from reidar_plugin.metrics.protocol_results import evaluate_retrieval
from reidar_plugin.metrics.protocols import TrackletFeatures, protocols_of
from reidar_plugin.report.results import Results, collect_results

__all__ = ["made_up"]


def made_up(name: str = "joint", seed: int = 0, people: int = 6) -> Results:
    draw = torch.Generator().manual_seed(seed)
    pids = torch.arange(1, people + 1)
    query = TrackletFeatures(torch.randn(people, 4, generator=draw), pids, torch.zeros(people).long())
    gallery = TrackletFeatures(
        torch.randn(people + 2, 4, generator=draw),
        torch.cat((pids, torch.tensor([0, 0]))),
        torch.ones(people + 2).long(),
    )
    actions = evaluate_actions(
        [[0.9, 0.2], [0.3, 0.6], [0.8, 0.1]], [[1, 0], [0, 1], [math.nan] * 2], ["walking", "riding"]
    )
    return collect_results(
        name,
        evaluate_retrieval(query, gallery, protocols_of("mars")),
        actions,
        config=CfgNode({"model": {"name": "reidar_resnet50"}, "steps": (40, 70)}),
        seeds={"train": 1},
        notes={"checkpoint": "model.pth.tar-120"},
        resamples=200,
    )
