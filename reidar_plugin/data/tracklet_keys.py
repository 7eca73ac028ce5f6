"""Names of tracklets made from the paths of their frames: labels for any video data set of the host."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath
from typing import Any

from reidar_plugin.data.tracklets import Frames
from reidar_plugin.labels.attributes import AttributeTable
from reidar_plugin.labels.files import LabelTable
from reidar_plugin.labels.spaces import LabelError

__all__ = ["tracklet_key", "with_labels"]

_MARS = re.compile(r"((?:\d{4}|00-1)C\dT\d{4})F\d+", re.ASCII)
_DUKE = re.compile(r"(\d{4})_?(C\d)_?F\d+.*", re.ASCII)
_LPW = re.compile(r"scen\d+", re.ASCII)
_CAMERA = re.compile(r"cam.+")


def tracklet_key(paths: Sequence[str]) -> str:
    """The name of a tracklet in label files, from the path of its first frame.

    ================== ======================================== ===================== =================
    layout             a path                                   key                   key of the person
    ================== ======================================== ===================== =================
    MARS               ``bbox_test/0001/0001C2T0003F004.jpg``   ``0001C2T0003``       ``0001``
    DukeMTMC-VideoReID ``train/0007/0012/0007_C6_F0001_X9.jpg`` ``0007C6T0012``       ``0007``
    LPW                ``scen1/view2/17/3.jpg``                 ``scen1/view2/17``    (a line a view)
    iLIDS-VID          ``cam1/person001/cam1_person001_01.png`` ``person001/cam1``    ``person001``
    PRID2011           ``cam_a/person_0001/0001.png``           ``person_0001/cam_a`` ``person_0001``
    any other          ``.../shop/anna/03/17.png``              ``anna/03``           ``anna``
    ================== ======================================== ===================== =================
    """
    if not paths:
        raise LabelError("a tracklet without frames has no key; leave it out")
    path = PurePath(paths[0])
    match = _MARS.fullmatch(path.stem)
    if match:
        return match[1]
    folders = path.parent.parts
    if len(folders) < 2:
        raise LabelError(
            f"{path}: expected a picture in two folders, e.g. <person>/<tracklet>/<frame>.jpg, for a key"
        )
    match = _DUKE.fullmatch(path.stem)
    if match and folders[-1].isascii() and folders[-1].isdigit():
        return f"{match[1]}{match[2]}T{int(folders[-1]):04d}"
    if len(folders) >= 3 and _LPW.fullmatch(folders[-3]):
        return "/".join(folders[-3:])
    if _CAMERA.fullmatch(folders[-2]):
        return f"{folders[-1]}/{folders[-2]}"
    return f"{folders[-2]}/{folders[-1]}"


def with_labels(
    samples: Iterable[Sequence[Any]],
    table: LabelTable | None,
    key_of: Callable[[Sequence[str]], str] = tracklet_key,
    looks: AttributeTable | None = None,
) -> list[tuple[Frames, int, int, int]]:
    """Samples of any host data set, with the labels of a table on their paths.

    Args:
        samples: ``(paths, pid, camid)`` or ``(paths, pid, camid, dsetid)``, as the host has them.
        table: who does what; None leaves the actions of all unknown.
        key_of: the name of a tracklet in the table, from its paths.
        looks: who looks how; None leaves the attributes as they are.

    Returns:
        New samples of four, in the same order; those that carry labels already keep them where the table
        has none.
    """
    labelled: list[tuple[Frames, int, int, int]] = []
    for paths, pid, camid, *dsetid in samples:
        frames = paths if isinstance(paths, Frames) else Frames(paths, key_of(paths))
        labels = table.lookup(frames.key) if table else None
        seen = looks.lookup(frames.key) if looks else None
        if labels is not None or seen is not None:
            labels = frames.labels if labels is None else labels
            frames = Frames(frames, frames.key, labels, frames.attributes if seen is None else seen)
        labelled.append((frames, pid, camid, dsetid[0] if dsetid else 0))
    return labelled
