"""``synthped``: the laptop set, made when it is first asked for."""

from pathlib import Path

from reidar_plugin.data.mars import MarsActions
from reidar_plugin.data.tracklets import Split

from .bar import Bar
from .generate import make, read_stamp

__all__ = ["SynthPed"]


class SynthPed(MarsActions):
    """SynthPed in the layout of MARS; without ``root/synthped`` the ``laptop`` preset is drawn there first.

    A set of another size or seed is read as well, if it is made beforehand::

        python tools/make_synthped.py --root ROOT --folder synthped --preset mars

    Drawn by this project; see docs/synthped.md. Two processes that ask at once make it once.

    Args: see :class:`~reidar_plugin.data.labelled_folder.LabelledDataset`.
    """

    dataset_dir = "synthped"
    source = "tools/make_synthped.py"

    @classmethod
    def read(cls, home: Path) -> Split:
        if read_stamp(home) is None:
            make(home.parent, folder=home.name, progress=Bar(f"drawing SynthPed into {home}, once: "))
        return super().read(home)
