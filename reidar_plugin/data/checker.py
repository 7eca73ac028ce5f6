"""Checks of a data set before training: counts, labels, missing and broken pictures."""

import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tabulate import tabulate

from reidar_plugin.data.frames import read_picture
from reidar_plugin.errors import PictureError
from reidar_plugin.labels.attributes import AttributeSpace
from reidar_plugin.labels.counts import count_labels
from reidar_plugin.labels.spaces import LabelSpace

__all__ = [
    "OFFICIAL",
    "PARTS",
    "PartCounts",
    "broken_pictures",
    "count_parts",
    "counts_table",
    "label_table",
    "missing_pictures",
    "silent_decoders",
    "training_problems",
    "unmatched_queries",
]

#: Names of the parts of a data set, as in the host.
PARTS = ("train", "query", "gallery")


@dataclass(frozen=True)
class PartCounts:
    """Size of one part of a data set.

    Args:
        tracklets: number of tracklets, with distractors.
        people: number of people, without distractors.
        distractors: number of distractor tracklets.
        cameras: number of cameras; None if not published.
        frames: number of frames; None if not published.
    """

    tracklets: int
    people: int
    distractors: int = 0
    cameras: int | None = None
    frames: int | None = None


#: The counts of train, query and gallery that the authors publish.
OFFICIAL: Mapping[str, tuple[PartCounts, PartCounts, PartCounts]] = MappingProxyType(
    {
        "mars": (PartCounts(8298, 625), PartCounts(1980, 626), PartCounts(9330, 620, 3248)),
        "lpw": (PartCounts(5866, 1975), PartCounts(756, 756), PartCounts(1072, 756)),
        "ilidsvid": (PartCounts(300, 150), PartCounts(150, 150), PartCounts(150, 150)),
        "prid2011": (PartCounts(178, 89), PartCounts(89, 89), PartCounts(89, 89)),
        "dukemtmcvidreid": (PartCounts(2196, 702), PartCounts(702, 702), PartCounts(2636, 1110)),
    }
)


def count_parts(dataset: Any) -> tuple[PartCounts, ...]:
    """Count train, query and gallery of a data set of the host or of this package.

    Person 0 of the gallery is a distractor unless a query shows it: iLIDS-VID and PRID2011 count people from 0.
    """
    real = {pid for _, pid, *_ in dataset.query}
    counts = []
    for part in PARTS:
        samples = getattr(dataset, part)
        pids = [pid for _, pid, *_ in samples]
        distractors = pids.count(0) if part == "gallery" and 0 not in real else 0
        cameras = {camid for _, _, camid, *_ in samples}
        frames = sum(len(paths) for paths, *_ in samples)
        people = len(set(pids)) - bool(distractors)
        counts.append(PartCounts(len(samples), people, distractors, len(cameras), frames))
    return tuple(counts)


def counts_table(name: str, counts: Sequence[PartCounts]) -> str:
    """A table of the counts and, where they are known, the official ones."""
    official = OFFICIAL.get(name.removesuffix("_actions"), ())
    rows: list[list[Any]] = []
    for index, (part, found) in enumerate(zip(PARTS, counts, strict=True)):
        rows.append([part, found.tracklets, found.people, found.distractors, found.cameras, found.frames])
        if official:
            theirs = official[index]
            rows.append(["  official", theirs.tracklets, theirs.people, theirs.distractors])
    return str(tabulate(rows, headers=["part", "tracklets", "people", "distractors", "cameras", "frames"]))


def label_table(dataset: Any, space: LabelSpace | AttributeSpace) -> str:
    """A table of how many training tracklets, training people and test tracklets carry each label."""
    test = [*dataset.query, *dataset.gallery]
    counted = [
        count_labels(dataset.train, space),
        count_labels(dataset.train, space, by_person=True),
        count_labels(test, space),
    ]
    rows: list[list[Any]] = [
        [
            name,
            *(
                cell
                for counts in counted
                for cell in (counts.positives[column], f"{counts.ratios[column]:.2%}")
            ),
        ]
        for column, name in enumerate(space.names)
    ]
    rows.append(["(unknown)", *(cell for counts in counted for cell in (counts.unknown, ""))])
    heads = ["label", "train tracklets", "of known", "train people", "of known", "test tracklets", "of known"]
    return str(tabulate(rows, headers=heads))


def unmatched_queries(query: Iterable[Any], gallery: Iterable[Any]) -> list[Any]:
    """Samples of queries whose person has no gallery tracklet in another camera; retrieval skips them."""
    cameras = defaultdict(set)
    for _, pid, camid, *_ in gallery:
        cameras[pid].add(camid)
    return [sample for sample in query if not cameras[sample[1]] - {sample[2]}]


def missing_pictures(samples: Iterable[Any]) -> Iterator[str]:
    """Paths of missing frames; each folder is listed once, no file is opened."""
    listed: dict[str, frozenset[str]] = {}
    for paths, *_ in samples:
        for path in paths:
            folder, name = os.path.split(path)
            if folder not in listed:
                listed[folder] = frozenset(os.listdir(folder or ".") if os.path.isdir(folder or ".") else ())
            if name not in listed[folder]:
                yield path


def broken_pictures(samples: Iterable[Any], threads: int | None = None) -> Iterator[str]:
    """Error messages of frames that cannot be decoded; reads each picture with the decoder used in training."""
    with ThreadPoolExecutor(threads) as pool:
        for messages in pool.map(_broken, (paths for paths, *_ in samples)):
            yield from messages


@contextmanager
def silent_decoders() -> Iterator[None]:
    """Suppress what libpng and OpenCV write directly to stderr."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _broken(paths: Iterable[str]) -> list[str]:
    messages = []
    for path in paths:
        try:
            read_picture(path)
        except PictureError as error:
            messages.append(str(error))
    return messages


def training_problems(dataset: Any, missing: int, broken: int) -> list[str]:
    """Reasons why training cannot start; an empty list if it can.

    Args:
        dataset: a data set of the host or of this package.
        missing: number of missing pictures.
        broken: number of pictures that cannot be read.
    """
    people = len({pid for _, pid, *_ in dataset.train})
    reasons = []
    if people < 2:
        reasons.append(f"training needs two people or more, found {people}")
    if len(unmatched_queries(dataset.query, dataset.gallery)) == len(dataset.query):
        reasons.append(
            "no query has its person in another camera of the gallery, so that nothing can be tested"
        )
    if missing:
        reasons.append(f"missing pictures: {missing}")
    if broken:
        reasons.append(f"pictures that cannot be read: {broken}")
    return reasons
