"""The output of a model for the clips of all ranks, from that of each for its own."""

from functools import reduce
from typing import Any

import torch
from torch import Tensor

from reidar_plugin.ranks.collectives import gather
from reidar_plugin.ranks.job import current
from reidar_plugin.structures import JointOutput

__all__ = ["gather_output"]

#: The classifier's own rows, which every rank has.
SHARED = ("class_vectors",)

#: Maps that pictures show and no loss reads.
SHOWN = ("masks", "action_attention")


def gather_output(output: JointOutput) -> JointOutput:
    """The output for all clips, in the order of the whole batch, with its gradient.

    All fields travel at once, a row a clip. What no loss reads is left out.

    Args:
        output: of this rank's clips; a tuple with more fields than :class:`JointOutput` serves too.
    """
    if current().size == 1:
        return output
    told: dict[str, Tensor] = {name: value for name, value in output._asdict().items() if value is not None}
    fields = {name: value for name, value in told.items() if name not in (*SHARED, *SHOWN)}
    dtype = reduce(torch.promote_types, (value.dtype for value in fields.values()), torch.float32)
    rows = gather(torch.cat([value.flatten(1).to(dtype) for value in fields.values()], dim=1))
    parts = rows.split([value[0].numel() for value in fields.values()], dim=1)
    whole = {
        name: part.unflatten(1, value.shape[1:]).to(value.dtype)
        for (name, value), part in zip(fields.items(), parts, strict=True)
    }
    unread: dict[str, Any] = dict.fromkeys(name for name in SHOWN if name in told)
    return output._replace(**unread, **whole)
