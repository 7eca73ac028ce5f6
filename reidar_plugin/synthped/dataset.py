"""``synthped``: the registered dataset, drawn when it is first asked for."""

from pathlib import Path

from reidar_plugin.data.mars import MarsActions
from reidar_plugin.data.tracklets import Split
from reidar_plugin.io.console import say
from reidar_plugin.synthped.generate import make
from reidar_plugin.synthped.stamp import read_stamp

__all__ = ["SynthPed"]


class SynthPed(MarsActions):
    """SynthPed in the layout of MARS; without ``root/synthped`` the ``laptop`` preset is drawn there first.

    A set of another size or seed is read as well, if it is made beforehand::

        python tools/make_synthped.py --root ROOT --folder synthped --preset mars

    Drawn by this project; see docs/synthped.md. If two processes ask at once, the set is drawn once.

    Args: see :class:`~reidar_plugin.data.labelled_folder.LabelledDataset`.
    """

    dataset_dir = "synthped"
    source = "tools/make_synthped.py"

    @classmethod
    def read(cls, home: Path) -> Split:
        if read_stamp(home) is None:
            say(f"SynthPed is drawn into {home}, once")
            make(home.parent, folder=home.name)
        return super().read(home)
