"""The host's ``VideoDataset`` with labels, base class of the data sets of this package."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from reidar_plugin.data.frames import read_picture
from reidar_plugin.data.tracklets import Sample
from reidar_plugin.host import reid
from reidar_plugin.labels.attributes import NO_ATTRIBUTES, AttributeSpace
from reidar_plugin.labels.spaces import ACTIONS8, LabelError, LabelSpace

__all__ = ["ActionVideoDataset"]


class ActionVideoDataset(reid.data.VideoDataset):
    """A video data set of the host whose items have labels.

    An item is the host's ``{img, pid, camid, dsetid}`` with two more keys: ``labels``, float32 ``(M,)``, and
    ``attributes``, float32 ``(A,)``, NaN where unknown. Labels are attached to the paths of a sample
    (:class:`~reidar_plugin.data.tracklets.Frames`); samples with plain paths have unknown labels.

    The sum of two data sets joins their training tracklets, as in the host. If one of them belongs to this class,
    the sum does too and keeps all labels. A broken picture is an error that names it.

    Args:
        train: training samples ``(paths, pid, camid, dsetid)``.
        query: query samples.
        gallery: gallery samples.
        space: label space of the actions.
        attribute_space: label space of the attributes.
        host_kwargs: arguments of the host's ``VideoDataset``: ``transform``, ``mode``, ``combineall``,
            ``seq_len``, ``sample_method``, ``verbose``.
    """

    _junk_pids = [-1, 0]  # noqa: RUF012  (the host's name and type: left out when all of a set is trained on)
    train: list[Sample]
    query: list[Sample]
    gallery: list[Sample]

    def __init__(
        self,
        train: Sequence[Sample],
        query: Sequence[Sample],
        gallery: Sequence[Sample],
        *,
        space: LabelSpace = ACTIONS8,
        attribute_space: AttributeSpace = NO_ATTRIBUTES,
        **host_kwargs: Any,
    ) -> None:
        self.space = space
        self.attribute_space = attribute_space
        for part, samples in (("training", train), ("query", query), ("gallery", gallery)):
            if not samples:
                raise LabelError(
                    f"{type(self).__name__}: expected {part} tracklets, got none; check the lists"
                )
        super().__init__(list(train), list(query), list(gallery), **host_kwargs)

    def __getitem__(self, index: int) -> dict[str, Any]:
        paths, pid, camid, dsetid = self.data[index]
        pictures = [Image.fromarray(read_picture(paths[index])) for index in self._frame_indices(len(paths))]
        return {
            "img": torch.stack([self.transform(picture) for picture in pictures]),
            "pid": pid,
            "camid": camid,
            "dsetid": dsetid,
            "labels": torch.from_numpy(self.space.encode(getattr(paths, "labels", None))),
            "attributes": torch.from_numpy(self.attribute_space.encode(getattr(paths, "attributes", None))),
        }

    def _frame_indices(self, length: int) -> NDArray[np.int64]:
        """Indices of the frames that the host would take from a tracklet, by its ``sample_method``."""
        if self.sample_method == "all":
            return np.arange(length)
        if self.sample_method == "random":
            return np.sort(np.random.choice(length, self.seq_len, replace=length < self.seq_len))
        if self.sample_method != "evenly":
            raise LabelError(f"unknown sample_method {self.sample_method!r}; choose evenly, random or all")
        stride = max(1, length // self.seq_len)
        return np.minimum(np.arange(self.seq_len) * stride, length - 1)

    def combine_all(self) -> None:
        """Add query and gallery to the training tracklets; their people are numbered after those of training."""
        rest = [sample for sample in (*self.query, *self.gallery) if sample[1] not in self._junk_pids]
        people = sorted({pid for _, pid, _, _ in rest})
        number = {pid: index for index, pid in enumerate(people, start=_after(self.train, 1))}
        self.train = self.train + [(paths, number[pid], camid, dsetid) for paths, pid, camid, dsetid in rest]
        self.num_train_pids = self.get_num_pids(self.train)
        self.num_train_cams = self.get_num_cams(self.train)

    def __add__(self, other: Any) -> Any:
        return _joined(self, other) if isinstance(other, reid.data.VideoDataset) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        if isinstance(other, reid.data.VideoDataset):
            return _joined(other, self)
        return self if other == 0 else NotImplemented  # sum() starts with 0


def _joined(first: Any, second: Any) -> ActionVideoDataset:
    """Training tracklets of both, those of the second renumbered; query and gallery of the first, as in the host."""
    ours = [dataset for dataset in (first, second) if isinstance(dataset, ActionVideoDataset)]
    for what in ("space", "attribute_space"):
        if getattr(ours[0], what) != getattr(ours[-1], what):
            raise LabelError(
                f"data sets of different label spaces cannot be added: {getattr(ours[0], what)} and "
                f"{getattr(ours[-1], what)}; build both with the same {what}"
            )
    pids, camids, dsets = (_after(first.train, column) for column in (1, 2, 3))
    moved = [(paths, pid + pids, camid + camids, dset + dsets) for paths, pid, camid, dset in second.train]
    return ActionVideoDataset(
        list(first.train) + moved,
        first.query,
        first.gallery,
        space=ours[0].space,
        attribute_space=ours[0].attribute_space,
        transform=first.transform,
        mode=first.mode,
        seq_len=first.seq_len,
        sample_method=first.sample_method,
        verbose=False,
    )


def _after(samples: Iterable[Any], column: int) -> int:
    """One more than the largest number in a column of the samples."""
    return 1 + max(sample[column] for sample in samples)
