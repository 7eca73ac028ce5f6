"""Load checkpoints of released code into the joint model: Re-ID-AR's here, others' by the table of their own package.

============================================ =========================================================
released                                     joint model
============================================ =========================================================
``base.*``, ``bottleneck.*``, ``classifier`` the same
``attention_conv.*``, ``attention_tconv.*``  ``temporal.conv.*``, ``temporal.tconv.*``
``class_<i>.add_block.0.*``                  rows i E to (i + 1) E of ``actions.project.*``
``class_<i>.add_block.1.*``                  the same rows of ``actions.norm.*``
``class_<i>.classifier.0.*``                 row i of ``actions.weight`` and ``actions.bias``
``base.<number>.*`` (its plain ResNet-50)    ``base.conv1.*``, ``base.bn1.*``, ``base.layer1.*``, ...
============================================ =========================================================

The released model returns probabilities, which are the sigmoid of the logits of the joint model. It averages over
the clips of a test batch, which are those of one tracklet; the joint model returns each clip. Build the joint model
with ``action_activation='leaky_relu'``.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from reidar_plugin.models.ap3d.released import MARK as AP3D
from reidar_plugin.models.ap3d.released import from_ap3d
from reidar_plugin.models.joint import JointModel
from reidar_plugin.models.tclnet.released import MARK as TCLNET
from reidar_plugin.models.tclnet.released import from_tclnet
from reidar_plugin.models.weights import WeightsError, read_tensors

__all__ = ["from_released", "is_released", "load_released", "public_network"]

_RENAMED = {"attention_conv.": "temporal.conv.", "attention_tconv.": "temporal.tconv."}
_NUMBERED = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
_BLOCK = {  # suffix within an action block -> name in the joint model
    "add_block.0.weight": "actions.project.weight",
    "add_block.0.bias": "actions.project.bias",
    "add_block.1.weight": "actions.norm.weight",
    "add_block.1.bias": "actions.norm.bias",
    "add_block.1.running_mean": "actions.norm.running_mean",
    "add_block.1.running_var": "actions.norm.running_var",
    "classifier.0.weight": "actions.weight",
    "classifier.0.bias": "actions.bias",
}
_BATCHES = "add_block.1.num_batches_tracked"


Tensors = Mapping[str, Tensor]


def is_released(tensors: Tensors) -> bool:
    """Whether a state dict has the names of a released code that is known here."""
    return _mark(tensors) is not None


def public_network(tensors: Tensors) -> str | None:
    """The joint model of AP3D's and TCLNet's public checkpoints; None of Re-ID-AR's, and of what is none."""
    mark = _mark(tensors)
    if mark == AP3D:
        return (
            "reidar_ap3d_nl_resnet50"
            if any(".theta." in name for name in tensors)
            else "reidar_ap3d_resnet50"
        )
    return "reidar_tclnet_resnet50" if mark == TCLNET else None


def from_released(tensors: Tensors) -> dict[str, Tensor]:
    """Convert a state dict of a released code to the names and layout of the joint model."""
    mark = _mark(tensors)
    if mark is None:
        raise WeightsError(
            f"no checkpoint of a released code that is known: no name has one of {', '.join(CODES)} in it"
        )
    return CODES[mark](tensors)


def _mark(tensors: Tensors) -> str | None:
    return next((mark for mark in CODES if any(mark in name for name in tensors)), None)


def _from_re_id_ar(tensors: Tensors) -> dict[str, Tensor]:
    ours = {_renamed(name): tensor for name, tensor in tensors.items() if not name.startswith("class_")}
    count = len({name.split(".")[0] for name in tensors if re.match(r"class_\d+\.", name)})
    for suffix, name in _BLOCK.items():
        blocks = [_of_block(tensors, index, suffix) for index in range(count)]
        if blocks:
            ours[name] = torch.cat(blocks)
    if f"class_0.{_BATCHES}" in tensors:
        ours["actions.norm.num_batches_tracked"] = tensors[f"class_0.{_BATCHES}"]  # the same in all blocks
    return ours


def load_released(model: JointModel, source: str | Path | Tensors) -> None:
    """Load a complete released checkpoint into a model that was built for it.

    Args:
        model: of the checkpoint's network (Re-ID-AR: ``reidar_resnet50_ibn_a`` or ``reidar_resnet50``), with its number of
            classes and actions, and its frame size.
        source: path of the checkpoint, or its tensors by name.

    Raises:
        WeightsError: it is not a released checkpoint, or does not fit the model.
    """
    tensors = source if isinstance(source, Mapping) else read_tensors(source)
    theirs, ours = from_released(tensors), model.state_dict()
    differences = [
        f"{name}: checkpoint {_shape(theirs.get(name))}, model {_shape(ours.get(name))}"
        for name in sorted(theirs.keys() | ours.keys())
        if not name.endswith("num_batches_tracked") and _shape(theirs.get(name)) != _shape(ours.get(name))
    ]
    if differences:
        raise WeightsError(
            f"the released checkpoint does not fit the model in {len(differences)} tensors "
            f"({'; '.join(differences[:3])}); build the model with its classes, actions and frame size"
        )
    model.load_state_dict(theirs, strict=False)


def _renamed(name: str) -> str:
    for old, new in _RENAMED.items():
        if name.startswith(old):
            return new + name[len(old) :]
    numbered = re.match(r"base\.(\d)\.", name)
    if numbered and numbered[1] in _NUMBERED:
        return f"base.{_NUMBERED[numbered[1]]}.{name[numbered.end() :]}"
    return name


def _of_block(tensors: Tensors, index: int, suffix: str) -> Tensor:
    name = f"class_{index}.{suffix}"
    if name not in tensors:
        raise WeightsError(
            f"the released checkpoint lacks {name}: its action blocks must be numbered from 0, whole"
        )
    return tensors[name]


def _shape(tensor: Tensor | None) -> str:
    return "nothing" if tensor is None else str(tuple(tensor.shape))


#: What some name of a released code's checkpoint has in it -> from its tensors to ours.
CODES: dict[str, Callable[[Tensors], dict[str, Tensor]]] = {
    "attention_conv.": _from_re_id_ar,
    AP3D: from_ap3d,
    TCLNET: from_tclnet,
}
