"""Names of TCLNet's public checkpoints in the joint model (``reidar_tclnet_resnet50``).

============================================ ====================================================
public                                       joint model
============================================ ====================================================
``conv1``, ``bn1``, ``layer1`` ...           ``base.`` before it
``layer2.4.W``                               ``base.layer2.4.project``
``TSE_Module.layer4.0``, ``.1``              ``base.layer4.shared.0``, ``.1``
``TSE_Module.branch.0``, ``.1``              ``base.layer4.branches.0``, ``.1``
``TSE_Module.conv_reduce``, ``conv_erase``   ``base.layer4.reduce``, ``project``
``bn.0``, ``bn.1``                           ``bottleneck``, one after the other
``classifier.0.weight``, ``.1.weight``       ``classifier.weight``, side by side
``classifier.0.bias``, ``.1.bias``           none: logits lack them, features do not read them
============================================ ====================================================

Kernels of 1 x k x k lose their first dimension.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from reidar_plugin.models.renaming import HEADS, trunk_tensors
from reidar_plugin.models.weights import WeightsError

__all__ = ["MARK", "from_tclnet"]

MARK = "TSE_Module."  #: what tells these checkpoints from others

_RENAMED = {
    "layer2.4.W.": "layer2.4.project.",
    "TSE_Module.layer4.": "layer4.shared.",
    "TSE_Module.branch.": "layer4.branches.",
    "TSE_Module.conv_reduce.": "layer4.reduce.",
    "TSE_Module.conv_erase.": "layer4.project.",
}

#: what of both branches lies side by side here: their name, ours, the dimension, the tensors
_SIDE_BY_SIDE = (
    ("bn", "bottleneck", 0, ("weight", "bias", "running_mean", "running_var")),
    ("classifier", "classifier", 1, ("weight",)),
)


def from_tclnet(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a public checkpoint, in the names and shapes of the joint model."""
    heads = {name: tensor for name, tensor in tensors.items() if name.startswith(HEADS)}
    for branch in (0, 1):
        heads.pop(f"classifier.{branch}.bias", None)
        batches = heads.pop(f"bn.{branch}.num_batches_tracked", None)  # the same in both
    joined = {
        f"{ours}.{part}": torch.cat([_taken(heads, f"{theirs}.{branch}.{part}") for branch in (0, 1)], dim)
        for theirs, ours, dim, parts in _SIDE_BY_SIDE
        for part in parts
    }
    if batches is not None:
        joined["bottleneck.num_batches_tracked"] = batches
    return {**trunk_tensors(tensors, _RENAMED), **joined, **heads}  # what is left has no place here


def _taken(heads: dict[str, Tensor], name: str) -> Tensor:
    if name not in heads:
        raise WeightsError(f"the released checkpoint lacks {name}: both branches of TCLNet must be whole")
    return heads.pop(name)
