"""A folder of tracklets joined with its label file: what MARS, LPW and SynthPed have in common."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from warnings import warn

from reidar_plugin.data.tracklets import Frames, Sample, Split, Tracklet
from reidar_plugin.data.video_dataset import ActionVideoDataset
from reidar_plugin.labels.attributes import NO_ATTRIBUTES, AttributeSpace, AttributeTable, read_attributes
from reidar_plugin.labels.files import KeyForm, LabelTable, MissingFileError, read_labels
from reidar_plugin.labels.spaces import ACTIONS8, LabelError, LabelSpace

__all__ = ["LabelledDataset", "check_use", "find_labels", "labelled_samples"]


class LabelledDataset(ActionVideoDataset):
    """A data set in a folder, with a label file beside it.

    Args:
        root: where the folder of the data set is.
        space: how actions become rows; labels stay as the file names them.
        label_file: our CSV; ``actions.csv`` in the folder of the data set unless named.
        attribute_space: the attributes to read; none unless named.
        attribute_file: a table in the form of MARS' published one; ``attributes.csv`` in the folder unless
            named.
        labels_required: whether a missing label file, or one that labels no training tracklet, is an error.
            If not, those actions are unknown.
        host_kwargs: what the host's ``VideoDataset`` takes: ``transform``, ``mode``, ``combineall``,
            ``seq_len``, ``sample_method``, ``verbose``.
    """

    dataset_dir: str  #: the folder under root
    key_form: KeyForm  #: how its tracklets are named in label files
    source: str  #: where to get it

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
            check_use(labels, [[tracklet.key for tracklet in part] for part in split], labels_required)
        attributes = _find_attributes(attribute_file, home, attribute_space)
        numbers = sorted({tracklet.pid for tracklet in split.train})
        people = {pid: place for place, pid in enumerate(numbers)}  # the same in every process
        train = labelled_samples(split.train, labels, attributes, people)
        query = labelled_samples(split.query, labels, attributes)
        gallery = labelled_samples(split.gallery, labels, attributes)
        super().__init__(train, query, gallery, space=space, attribute_space=attribute_space, **host_kwargs)

    @classmethod
    def read(cls, home: Path) -> Split:
        """The tracklets in the folder of the data set; opens no picture."""
        raise NotImplementedError(f"{cls.__name__} does not say how it is read")


def find_labels(
    label_file: str | Path, home: Path, space: LabelSpace, keys: KeyForm, required: bool
) -> LabelTable | None:
    """The label file of a data set: the one that is named, or ``actions.csv`` in its folder.

    Returns:
        The table; None where there is no file, none is named and none is required.
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


def labelled_samples(
    tracklets: Iterable[Tracklet],
    labels: LabelTable | None,
    attributes: AttributeTable | None,
    people: Mapping[int, int] | None = None,
) -> list[Sample]:
    """Samples of the host, with labels on the paths.

    Args:
        tracklets: what was parsed.
        labels: who does what; None where that is unknown of all.
        attributes: who looks how; None where that is unknown of all.
        people: the class of each person; None keeps the numbers of the data set.
    """
    samples: list[Sample] = []
    for key, paths, pid, camid in tracklets:
        actions = labels.lookup(key) if labels else None
        frames = Frames(paths, key, actions, attributes.lookup(key) if attributes else None)
        samples.append((frames, people[pid] if people else pid, camid, 0))
    return samples


def check_use(labels: LabelTable, keys: Sequence[Sequence[str]], required: bool) -> None:
    """Complain of a label file that does not belong to the tracklets that were found.

    Args:
        labels: what the file says.
        keys: names of the tracklets of each part, training first.
        required: whether a file that labels no training tracklet is an error.

    Raises:
        LabelError: no training tracklet has a label. Keys that name no tracklet at all are only warned of.
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
