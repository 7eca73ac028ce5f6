"""Every door that is tormented."""

from collections.abc import Sequence

from reidar_plugin.errors import ConfigError, nearest

from .campaign import Door
from .configs import ConfigFiles
from .deeds import DEEDS
from .models import Calibrations, CameraLists, Features, Findings, GalleryModels, OnnxFiles
from .pictures import Pictures, Videos
from .saved import Checkpoints, ResultFiles, Saves
from .strike import POSSIBLE
from .struck import Struck
from .tables import LabelFiles, MarsTables, TrackFiles

__all__ = ["DOORS", "doors_of"]

DOORS: tuple[Door, ...] = (
    *(LabelFiles(), TrackFiles(), MarsTables(), Pictures(), Videos()),
    *(Checkpoints(), Saves(), ResultFiles(), ConfigFiles()),
    *(OnnxFiles(), Calibrations(), CameraLists(), Findings(), Features(), GalleryModels()),
    *(Struck(deed) for deed in DEEDS if POSSIBLE),
)


def doors_of(names: Sequence[str]) -> list[Door]:
    """Those of these names; all where none is given.

    Raises:
        ConfigError: there is no such door.
    """
    known = [door.name for door in DOORS]
    if unknown := [name for name in names if name not in known]:
        hint = nearest(unknown[0], known)
        raise ConfigError(f"--doors: unknown door {unknown[0]!r};{hint} choose of {', '.join(known)}")
    return [door for door in DOORS if not names or door.name in names]
