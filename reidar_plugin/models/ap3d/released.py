"""Names of AP3D's public checkpoints in the joint model (``reidar_ap3d_resnet50``, ``reidar_ap3d_nl_resnet50``).

========================================= =======================================================
public                                    joint model
========================================= =======================================================
``conv1``, ``bn1``, ``layer1`` ...        ``base.`` before it
``conv2.spatial_conv3d``                  ``conv2.spatial``
``conv2.temporal_conv3d``                 ``conv2.temporal``, its time in the channels of the input
``conv2.APM.semantic_mapping``            ``conv2.align.semantic``
``conv2.APM.x_mapping``, ``n_mapping``    ``conv2.align.own``, ``neighbour``
``conv2.APM.contrastive_att_net.0``       ``conv2.align.contrast``
``theta``, ``phi.0``, ``g.0`` (NL)        ``query``, ``key``, ``value``
``W.0``, ``W.1`` (NL)                     ``out``, ``norm``
``bn``                                    ``bottleneck``, its trained shift in the buffer ``bias``
``classifier.weight``                     the same
``classifier.bias``                       none: logits lack it, features do not read it
========================================= =======================================================

Kernels of 1 x k x k lose their first dimension.
"""

from collections.abc import Mapping

from torch import Tensor

from reidar_plugin.models.renaming import HEADS, trunk_tensors

__all__ = ["MARK", "from_ap3d"]

MARK = ".temporal_conv3d."  #: what tells these checkpoints from others

_RENAMED = {
    "spatial_conv3d": "spatial",
    "temporal_conv3d": "temporal",
    "APM.semantic_mapping": "align.semantic",
    "APM.x_mapping": "align.own",
    "APM.n_mapping": "align.neighbour",
    "APM.contrastive_att_net.0": "align.contrast",
    ".theta.": ".query.",
    ".phi.0.": ".key.",
    ".g.0.": ".value.",
    ".W.0.": ".out.",
    ".W.1.": ".norm.",
}


def from_ap3d(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a public checkpoint, in the names and shapes of the joint model."""
    heads = {
        name.replace("bn.", "bottleneck."): tensor
        for name, tensor in tensors.items()
        if name.startswith(HEADS) and name != "classifier.bias"
    }
    return {**trunk_tensors(tensors, _RENAMED), **heads}
