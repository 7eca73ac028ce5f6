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

from reidar_plugin.models.renaming import trunk_tensors

__all__ = ["MARK", "from_tclnet"]

MARK = "TSE_Module."  #: what tells these checkpoints from others

_RENAMED = {
    "layer2.4.W.": "layer2.4.project.",
    "TSE_Module.layer4.": "layer4.shared.",
    "TSE_Module.branch.": "layer4.branches.",
    "TSE_Module.conv_reduce.": "layer4.reduce.",
    "TSE_Module.conv_erase.": "layer4.project.",
}


def from_tclnet(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a public checkpoint, in the names and shapes of the joint model."""
    ours = trunk_tensors(tensors, _RENAMED)
    for name in sorted({name.removeprefix("bn.0.") for name in tensors if name.startswith("bn.0.")}):
        first, second = tensors[f"bn.0.{name}"], tensors[f"bn.1.{name}"]
        ours[f"bottleneck.{name}"] = torch.cat([first, second]) if first.dim() else first
    ours["classifier.weight"] = torch.cat(
        [tensors[f"classifier.{branch}.weight"] for branch in (0, 1)], dim=1
    )
    return ours
