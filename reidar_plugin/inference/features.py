"""Running a network over tracklets: packed clips go in, one averaged row of outputs a tracklet comes out."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidar_plugin.data.loader import ClipLoader, to_device
from reidar_plugin.data.packed_clips import TrackletMean
from reidar_plugin.data.pixel_ops import Normalise
from reidar_plugin.inference.precision import Precision
from reidar_plugin.io.console import say
from reidar_plugin.io.progress import progress
from reidar_plugin.ranks.collectives import total
from reidar_plugin.structures import ClipBatch, JointOutput

__all__ = ["TrackletOutputs", "extract", "report_replaced"]


class TrackletOutputs(NamedTuple):
    """Outputs for N tracklets, in the order of their list, on the device of the network."""

    features: Tensor
    """float32 ``(N, D)``, mean of the clips' features after the BN neck; each branch at length 1 where there are several."""

    likelihoods: Tensor | None
    """float32 ``(N, M)``, mean of the clips' sigmoids; None without an action network."""


@torch.no_grad()
def extract(
    network: nn.Module,
    loader: ClipLoader,
    normalise: Normalise,
    precision: Precision,
    title: str = "features",
) -> TrackletOutputs:
    """Run a network over all clips of a loader; of several ranks each runs it over its part, and all get everything.

    Args:
        network: frames ``(B, T, 3, H, W)`` -> :class:`JointOutput`; in evaluation mode already.
        loader: packed clips, as :func:`~reidar_plugin.data.evaluation_loader.evaluation_loader` gives them.
        normalise: turns bytes into the numbers that the network reads.
        precision: the precision in which the network runs; means are taken in float64 and given in float32.
        title: title of the progress bar.
    """
    tracklets = len(loader.table)
    features, likelihoods = TrackletMean(tracklets), TrackletMean(tracklets)
    acts, branches = False, 1
    for batch in progress(title, _on_device(loader, precision.device), len(loader)):
        with precision.autocast():
            output = checked_output(network(normalise(batch.frames)))
        features.add(output.feature.float(), batch.tracklets)
        if (logits := getattr(output, "branch_logits", None)) is not None:
            branches = logits.shape[1]
        if output.action_logits is not None:
            acts = True
            likelihoods.add(output.action_logits.float().sigmoid(), batch.tracklets)
    features.add_ranks()
    likelihoods.add_ranks()
    return TrackletOutputs(balanced(features.result(), branches), likelihoods.result() if acts else None)


def balanced(features: Tensor, branches: int) -> Tensor:
    """Features ``(N, D)`` of several branches with each branch's part at length 1 (TCLNet); of one as they are."""
    if branches == 1:
        return features
    return F.normalize(features.unflatten(1, (branches, -1)), dim=2).flatten(1)


def checked_output(output: Any) -> JointOutput:
    """The output itself, if it has a feature and action logits.

    Raises:
        TypeError: it has not.
    """
    if hasattr(output, "feature") and hasattr(output, "action_logits"):
        return output
    raise TypeError(
        f"the joint engine needs a model that returns a JointOutput, got {type(output).__name__}; "
        "build it with loss 'reidar'"
    )


def report_replaced(loader: ClipLoader, what: str) -> None:
    """Say how many broken frames a loader has replaced so far, if it has (``reidar.data.on_broken: skip``)."""
    replaced = total(loader.replaced)
    if replaced:
        say(f"{what}: broken frames that a neighbour in their tracklet replaced so far: {replaced:,}")


def _on_device(loader: Iterable[ClipBatch], device: torch.device) -> Iterable[ClipBatch]:
    for batch in loader:
        yield to_device(batch, device)
