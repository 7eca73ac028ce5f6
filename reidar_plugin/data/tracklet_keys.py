"""Tracklet keys from frame paths, with which any video data set of the host can have labels."""

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
    """The key of a tracklet in label files, from the path of its first frame.

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
    labels: LabelTable | None,
    attributes: AttributeTable | None = None,
    key_of: Callable[[Sequence[str]], str] = tracklet_key,
) -> list[tuple[Frames, int, int, int]]:
    """Attach labels to the paths of samples.

    Args:
        samples: samples ``(paths, pid, camid)`` or ``(paths, pid, camid, dsetid)`` of any data set of the host.
        labels: action labels by key; None leaves actions as they are.
        attributes: attributes by key; None leaves attributes as they are.
        key_of: function that computes the key of a tracklet from its paths, unless the sample has one.

    Returns:
        New samples ``(frames, pid, camid, dsetid)`` in the same order. Labels that a sample has already are kept
        where the tables have none.

    Example:
        >>> ((frames, *_),) = with_labels([(["0001C2T0003F001.jpg"], 0, 1)], None)
        >>> frames.key, frames.labels
        ('0001C2T0003', None)
    """
    labelled: list[tuple[Frames, int, int, int]] = []
    for paths, pid, camid, *dsetid in samples:
        frames = paths if isinstance(paths, Frames) else Frames(paths, key_of(paths))
        actions = labels.lookup(frames.key) if labels else None
        values = attributes.lookup(frames.key) if attributes else None
        if actions is not None or values is not None:
            actions = frames.labels if actions is None else actions
            frames = Frames(frames, frames.key, actions, frames.attributes if values is None else values)
        labelled.append((frames, pid, camid, dsetid[0] if dsetid else 0))
    return labelled
