"""The test tracklets of a data set, as folders of pictures would give them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yacs.config import CfgNode

from reidar_plugin import host
from reidar_plugin.errors import ConfigError, InputError, MissingFileError, ReidarError, nearest, summary
from reidar_plugin.inference.picture_folders import PictureTracklet
from reidar_plugin.plugin.registration import enable

__all__ = ["UnknownDatasetError", "dataset_tracklets", "labelled_tracklets", "open_dataset"]


class UnknownDatasetError(ConfigError):
    """A name that is no data set's."""


def dataset_tracklets(name: str, root: str) -> list[PictureTracklet]:
    """Query and gallery of a video data set that torchreid or the plugin knows; identities are not looked at."""
    found = open_dataset(name, root)
    return [
        PictureTracklet(f"camera {camid + 1}", f"{number:05d}", list(paths))
        for number, (paths, _, camid, *_) in enumerate([*found.query, *found.gallery])
    ]


def labelled_tracklets(name: str, root: str) -> list[tuple[Sequence[str], int, int]]:
    """Paths, person and camera of the test tracklets of everybody who is asked for: no distractors, no junk."""
    found = open_dataset(name, root)
    asked = {pid for _, pid, *_ in found.query}
    return [
        (list(paths), pid, camid) for paths, pid, camid, *_ in [*found.query, *found.gallery] if pid in asked
    ]


def open_dataset(name: str, root: str, cfg: CfgNode | None = None) -> Any:
    """A video data set that torchreid or the plugin knows, with its ``train``, ``query`` and ``gallery``.

    Args:
        name: as in ``data.sources``.
        root: where data sets are.
        cfg: names labels and their files; None for the defaults.

    Raises:
        UnknownDatasetError: nobody knows the data set.
        MissingFileError: the root is not there; a data set is not fetched or drawn into a folder of a wrong name.
        InputError: the host cannot read it.
    """
    enable(cfg, quiet=True)
    table = host.dataset_table("video")
    if name not in table:
        raise UnknownDatasetError(
            f"{name!r} is no video data set;{nearest(name, table)} data sets are {', '.join(table)}"
        )
    if not Path(root).is_dir():
        raise MissingFileError(
            f"{root}: expected the folder of data sets, there is none; name it (--root), or make it"
        )
    try:
        return table[name](root=root, transform=list, verbose=False)  # no picture is read here
    except ReidarError:
        raise
    except (OSError, RuntimeError, ValueError, AssertionError) as error:  # the host's
        raise InputError(
            f"{name} under {root} cannot be read ({summary(error)}); try tools/check_dataset.py"
        ) from error
