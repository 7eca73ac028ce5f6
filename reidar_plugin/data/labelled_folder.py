"""A data set in a folder with a label file: the base of MARS, LPW and SynthPed."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from warnings import warn

from reidar_plugin.data.tracklet_keys import with_labels
from reidar_plugin.data.tracklets import Frames, Split
from reidar_plugin.data.video_dataset import ActionVideoDataset
from reidar_plugin.labels.attributes import NO_ATTRIBUTES, AttributeSpace, AttributeTable, read_attributes
from reidar_plugin.labels.files import KeyForm, LabelTable, MissingFileError, read_labels
from reidar_plugin.labels.spaces import ACTIONS8, LabelError, LabelSpace

__all__ = ["LabelledDataset", "check_label_use", "find_labels"]


class LabelledDataset(ActionVideoDataset):
    """A data set in a folder, with a label file in the same folder.

    Args:
        root: folder that contains the folder of the data set.
        space: label space of the actions.
        label_file: label file of this package; empty for ``actions.csv`` in the folder of the data set.
        attribute_space: label space of the attributes to read; empty by default.
        attribute_file: attribute table in the published form of MARS; empty for ``attributes.csv`` in the folder.
        labels_required: whether a missing label file, or one that labels no training tracklet, is an error. If
            not, the actions are unknown.
        host_kwargs: arguments of the host's ``VideoDataset``: ``transform``, ``mode``, ``combineall``,
            ``seq_len``, ``sample_method``, ``verbose``.
    """

    dataset_dir: str  #: name of the folder under root
    key_form: KeyForm  #: form of the tracklet names in label files
    source: str  #: where the data set can be obtained

    def __init__(
        self,
        root: str | Path = "",
        *,
        space: LabelSpace = ACTIONS8,
        label_file: str | Path = "",
        attribute_space: AttributeSpace = NO_ATTRIBUTES,
        attribute_file: str | Path = "",
        labels_required: bool = True,
        **host_kwargs: Any,
    ) -> None:
        self.root = os.path.abspath(os.path.expanduser(root))
        self.dataset_dir = os.path.join(self.root, self.dataset_dir)  # as the host's own data sets do
        home = Path(self.dataset_dir)
        try:
            split = self.read(home)
        except MissingFileError as error:
            raise MissingFileError(f"{error}; get it from {self.source}") from error
        labels = find_labels(label_file, home, space, self.key_form, labels_required)
        if labels:
            check_label_use(labels, [[tracklet.key for tracklet in part] for part in split], labels_required)
        attributes = _find_attributes(attribute_file, home, attribute_space)
        train, query, gallery = (
            with_labels(
                [(Frames(paths, key), pid, camid, 0) for key, paths, pid, camid in part], labels, attributes
            )
            for part in split
        )
        pids = sorted({pid for _, pid, *_ in train})  # sorted: class numbers are the same in each process
        number = {pid: index for index, pid in enumerate(pids)}
        train = [(frames, number[pid], camid, 0) for frames, pid, camid, _ in train]
        super().__init__(train, query, gallery, space=space, attribute_space=attribute_space, **host_kwargs)

    @classmethod
    def read(cls, home: Path) -> Split:
        """Read the tracklets in the folder of the data set, without opening pictures."""
        raise NotImplementedError(f"{cls.__name__} does not say how it is read")


def find_labels(
    label_file: str | Path, home: Path, space: LabelSpace, keys: KeyForm, required: bool
) -> LabelTable | None:
    """Read the label file of a data set.

    Args:
        label_file: path of the file; empty for ``actions.csv`` in ``home``.
        home: folder of the data set.
        space: label space that must accept each label.
        keys: form of the tracklet names.
        required: whether a missing ``actions.csv`` is an error.

    Returns:
        The labels; None if there is no file, and it is neither named nor required.
    """
    path = Path(label_file) if label_file else home / "actions.csv"
    if path.is_file():
        return read_labels(path, space, keys)
    if label_file or required:
        raise MissingFileError(
            f"{path}: no label file. Make it from the published labels with tools/import_labels.py or write it "
            "by hand (docs/data.md); without labels, torchreid's plain data set (mars for MARS) trains the joint "
            "model with unknown actions, and so does reidar.labels.required False"
        )
    return None


def _find_attributes(attribute_file: str | Path, home: Path, space: AttributeSpace) -> AttributeTable | None:
    return read_attributes(attribute_file or home / "attributes.csv", space) if space else None


def check_label_use(labels: LabelTable, keys: Sequence[Sequence[str]], required: bool) -> None:
    """Check that a label file belongs to the tracklets that were found; warn of keys that match no tracklet.

    Args:
        labels: content of the label file.
        keys: names of the tracklets of each part, training first.
        required: whether a file that labels no training tracklet is an error.

    Raises:
        LabelError: no training tracklet has a label although labels are required.
    """
    train = keys[0]
    if required and train and all(labels.lookup(key) is None for key in train):
        raise LabelError(
            f"{labels.path}: labels none of the {len(train)} training tracklets, such as {train[0]}"
        )
    unused = labels.unused(key for part in keys for key in part)
    if unused:
        where = f"{labels.path}:{labels.lines[unused[0]]}"
        warn(f"{where}: {unused[0]!r} names no tracklet found; keys that do not: {len(unused)}", stacklevel=3)
