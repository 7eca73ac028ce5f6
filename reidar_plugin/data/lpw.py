"""LPW: tracklets from the folders of its three scenes, with action labels."""

import os
from itertools import pairwise
from pathlib import Path
from warnings import warn

from reidar_plugin.data.labelled_folder import LabelledDataset
from reidar_plugin.data.mat_files import TableError
from reidar_plugin.data.tracklets import Split, Tracklet
from reidar_plugin.errors import shown
from reidar_plugin.labels.files import KeyForm, MissingFileError

__all__ = ["LPWActions", "read_tracklets"]

_VIEWS = {2: 4, 3: 4, 1: 3}  # scene -> number of views, in the order in which people and cameras are numbered
_TEST_SCENE, _QUERY_VIEW = 1, 2
_PICTURES = (".jpg", ".jpeg", ".png")


class LPWActions(LabelledDataset):
    """LPW (Labeled Pedestrian in the Wild) with the actions of its tracklets.

    Expected under ``root``, with or without the folder ``data_slim``::

        lpw/pep_256x128/data_slim/scen1/view1/17/3.jpg    # scene, view, person of the scene, frame
        lpw/actions.csv                                   # labels, keys scen1/view1/17 or scen1/view1

    Each person has one tracklet in each view. Training: scenes 2 and 3 in all views, 5,866 tracklets of 1,751 + 224
    people, 8 cameras. Query: scene 1 in view 2, 756 tracklets; gallery: scene 1 in views 1 and 3, 1,072
    tracklets. Nobody is in two scenes. Cameras: views of scene 2 are 0 to 3, of
    scene 3 are 4 to 7, of scene 1 are 8 to 10. Split: the authors'.
    Reference: Song et al., Region-based Quality Estimation Network for Large-scale Person
    Re-identification, AAAI 2018.

    Args: see :class:`~reidar_plugin.data.labelled_folder.LabelledDataset`.
    """

    dataset_dir = "lpw"
    key_form = KeyForm(r"scen[123](/view[1-4](/\d+)?)?", "scen1/view2/17 or scen1/view2")
    source = "http://liuyu.us/dataset/lpw/ (pep_256x128)"

    @classmethod
    def read(cls, home: Path) -> Split:
        return read_tracklets(home)


def read_tracklets(home: str | Path) -> Split:
    """Read the tracklets of a folder in the layout of LPW; folders are listed, no picture is opened.

    People are numbered from 1 in the order of their folders, first those of scene 2, then of scene 3, then of
    scene 1.

    Args:
        home: folder that contains ``pep_256x128``.

    Raises:
        FileNotFoundError: a scene or a view is missing.
        TableError: the name of a person or picture is not a number.
    """
    scenes = _find_scenes(Path(home))
    train: list[Tracklet] = []
    query: list[Tracklet] = []
    gallery: list[Tracklet] = []
    people = cameras = 0
    for scene, views in _VIEWS.items():
        found = [_read_view(scenes, scene, view) for view in range(1, views + 1)]
        numbers = {person: people + rank for rank, person in enumerate(sorted(set().union(*found)), start=1)}
        for view, tracklets in enumerate(found, start=1):
            part = train if scene != _TEST_SCENE else query if view == _QUERY_VIEW else gallery
            part += [
                Tracklet(_key(frames[0]), frames, numbers[person], cameras + view - 1)
                for person, frames in tracklets.items()
            ]
        people, cameras = people + len(numbers), cameras + views
    return Split(tuple(train), tuple(query), tuple(gallery))


def _key(path: str) -> str:
    """``scen1/view2/17`` of ``.../scen1/view2/17/3.jpg``, as the folders are named."""
    return "/".join(Path(path).parts[-4:-1])


def _find_scenes(home: Path) -> Path:
    for folder in (home / "pep_256x128" / "data_slim", home / "pep_256x128"):
        if (folder / "scen1").is_dir():
            return folder
    raise MissingFileError(f"no such folder: {home}/pep_256x128/scen1, nor .../pep_256x128/data_slim/scen1")


def _read_view(scenes: Path, scene: int, view: int) -> dict[int, tuple[str, ...]]:
    """Frames of each person in a view, by the number of the person, in ascending order."""
    folder = scenes / f"scen{scene}" / f"view{view}"
    if not folder.is_dir():
        raise MissingFileError(f"no such folder: {folder}")
    entries = [entry for entry in os.scandir(folder) if entry.is_dir()]
    people = sorted((_number(entry.name, entry.path), entry.path) for entry in entries)
    for (number, first), (other, second) in pairwise(people):
        if number == other:
            raise TableError(f"{second}: person {number} has a folder already, {first}")
    found = {number: _read_frames(path) for number, path in people}
    for number, path in people:
        if not found[number]:
            warn(f"{path}: no picture in it; the tracklet is left out", stacklevel=2)
    return {number: frames for number, frames in found.items() if frames}


def _read_frames(folder: str) -> tuple[str, ...]:
    """Pictures of a folder in the order of their numbers; other files are ignored."""
    names = [name for name in os.listdir(folder) if name.lower().endswith(_PICTURES) and name[0] != "."]
    frames = sorted((_number(name.rpartition(".")[0], os.path.join(folder, name)), name) for name in names)
    return tuple([os.path.join(folder, name) for _, name in frames])


def _number(name: str, path: str) -> int:
    if not (name.isascii() and name.isdigit()):
        raise TableError(f"{path}: expected a number for a name, got {shown(name)}")
    return int(name)
