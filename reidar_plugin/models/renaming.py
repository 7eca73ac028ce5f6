"""The trunk of another author's checkpoint under the names and shapes of the joint model."""

from collections.abc import Mapping

from torch import Tensor

__all__ = ["HEADS", "trunk_tensors"]

#: What the names of a neck and of a classifier begin with; the rest is the trunk.
HEADS = ("bn.", "classifier.")


def trunk_tensors(tensors: Mapping[str, Tensor], renamed: Mapping[str, str]) -> dict[str, Tensor]:
    """Tensors of the trunk, ``base.`` before their names.

    Kernels ``(O, I, T, h, w)`` become ``(O, T I, h, w)``, over T frames that lie side by side in the channels.

    Args:
        tensors: of the whole checkpoint.
        renamed: a part of a name -> what stands here in its place.
    """
    return {
        f"base.{_ours(name, renamed)}": tensor.transpose(1, 2).flatten(1, 2) if tensor.dim() == 5 else tensor
        for name, tensor in tensors.items()
        if not name.startswith(HEADS)
    }


def _ours(name: str, renamed: Mapping[str, str]) -> str:
    for theirs, ours in renamed.items():
        name = name.replace(theirs, ours)
    return name
