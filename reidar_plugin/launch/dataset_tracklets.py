"""The test tracklets of a data set, as folders of pictures would give them."""

from reidar_plugin import host
from reidar_plugin.errors import ConfigError, InputError, ReidarError, nearest, summary
from reidar_plugin.inference.picture_folders import PictureTracklet
from reidar_plugin.plugin.registration import enable

__all__ = ["dataset_tracklets"]


def dataset_tracklets(name: str, root: str) -> list[PictureTracklet]:
    """Query and gallery of a video data set that torchreid or the plugin knows; identities are not looked at.

    Raises:
        ConfigError: nobody knows the data set.
        InputError: the host cannot read it.
    """
    enable(quiet=True)
    table = host.dataset_table("video")
    if name not in table:
        raise ConfigError(
            f"{name!r} is no video, cameras.yaml or folder that is there, and no data set;{nearest(name, table)} "
            f"data sets are {', '.join(table)}"
        )
    try:
        found = table[name](root=root, transform=list, verbose=False)  # no picture is read here
    except ReidarError:
        raise
    except (OSError, RuntimeError, ValueError, AssertionError) as error:  # the host's
        raise InputError(
            f"{name} under {root} cannot be read ({summary(error)}); try tools/check_dataset.py"
        ) from error
    samples = [*found.query, *found.gallery]
    return [
        PictureTracklet(f"camera {camid + 1}", f"{number:05d}", list(paths))
        for number, (paths, _, camid, *_) in enumerate(samples)
    ]
