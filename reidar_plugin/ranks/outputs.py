"""The output of a model for the clips of all ranks, from that of each for its own."""

from typing import Any

from reidar_plugin.ranks.collectives import gather
from reidar_plugin.ranks.job import current
from reidar_plugin.structures import JointOutput

__all__ = ["gather_output"]

#: The classifier's own rows, which every rank has.
SHARED = {"class_vectors"}

#: Maps that pictures show and no loss reads.
SHOWN = {"masks", "action_attention"}


def gather_output(output: JointOutput) -> JointOutput:
    """The output for all clips, in the order of the whole batch, with its gradient; without what no loss reads.

    Args:
        output: of this rank's clips; a tuple with more fields than :class:`JointOutput` serves too.
    """
    if current().size == 1:
        return output
    told: dict[str, Any] = {name: value for name, value in output._asdict().items() if value is not None}
    names = [name for name in told if name not in (*SHARED, *SHOWN)]
    whole = zip(names, gather(*(told[name] for name in names)), strict=True)
    unread: dict[str, Any] = dict.fromkeys(told.keys() & SHOWN)
    return output._replace(**unread, **dict(whole))
