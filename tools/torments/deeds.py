"""What leaves files behind, begun and gone on with: each a thing that is done, and how one looks at what is there."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from reidar_plugin import launch, synthped
from reidar_plugin.checkpoint.store import BEST, CheckpointStore, Position, read_checkpoint
from reidar_plugin.inference.answer_folder import RECORD, AnswerFolder
from reidar_plugin.inference.gallery import GalleryModel, GalleryRow, Where, open_gallery
from reidar_plugin.io.atomic import write_atomically
from reidar_plugin.labels.files import read_labels, write_labels
from reidar_plugin.labels.spaces import label_space
from reidar_plugin.launch.runner import default_config
from reidar_plugin.models.backbones import Backbone
from reidar_plugin.models.heads import ActionNetwork
from reidar_plugin.models.joint import JointModel
from reidar_plugin.models.temporal import build_pooling
from reidar_plugin.plugin import registration
from reidar_plugin.report.results import read_results, write_results

from .saved import results_of

__all__ = [
    "DEEDS",
    "Adding",
    "Answering",
    "Deed",
    "Drawing",
    "Labelling",
    "Saving",
    "Testing",
    "Training",
    "digests",
    "train_tiny",
]


class Deed:
    """Something that is done in a folder.

    ``look`` gives what a reader finds, as plain values, and raises where that is damaged. It must be the same before
    and after, or one of ``between``. Doing it again must lead to the same, and to the same bytes in all files that are
    not hidden, where ``to_the_byte``.
    """

    name: str
    to_the_byte = True

    def prepare(self, folder: Path) -> None:
        """Make what it needs, once."""

    def begin(self, folder: Path) -> None:
        """Make what is there before."""

    def place(self, folder: Path) -> Path:
        """Where calls are struck."""
        return folder

    def do(self, folder: Path) -> None:
        """Do it, or go on with it."""
        raise NotImplementedError

    def look(self, folder: Path) -> Any:
        """What a reader finds."""
        raise NotImplementedError

    def between(self, done: Path) -> Iterable[Any]:
        """What a reader may also find, given a folder where it was done."""
        return ()


class Saving(Deed):
    """A third checkpoint, of which two are kept, and the best one."""

    name = "saving"

    def begin(self, folder: Path) -> None:
        store = CheckpointStore(folder)
        for number in (1, 2):
            store.mark_best(store.save(_state(number), Position(number)))

    def do(self, folder: Path) -> None:
        store = CheckpointStore(folder)
        store.check_writable()
        store.mark_best(store.save(_state(3), Position(3)))

    def look(self, folder: Path) -> Any:
        return tuple(
            _number(read_checkpoint(path)) for path in (CheckpointStore(folder).newest()[0], folder / BEST)
        )

    def between(self, done: Path) -> Iterable[Any]:
        return [(3, 2)]


class Adding(Deed):
    """A batch of tracklets into a gallery, then out with another and the files merged."""

    name = "adding"
    to_the_byte = False  # LanceDB gives its files names of their own

    def prepare(self, folder: Path) -> None:
        """LanceDB is imported once; what it has of threads it starts anew in a child."""
        import lancedb  # noqa: F401

    def begin(self, folder: Path) -> None:
        with open_gallery(folder, _MODEL, write=True) as gallery:
            gallery.add(*_batch(1))

    def do(self, folder: Path) -> None:
        with open_gallery(folder, _MODEL, write=True) as gallery:
            if not gallery.known(["2/0"]):
                gallery.add(*_batch(2))
            gallery.delete(Where(cameras=("c1",)))
            gallery.compact()

    def look(self, folder: Path) -> Any:
        """The batches that are there, each of which must be whole and as it was added."""
        with open_gallery(folder, _MODEL) as gallery:
            found = {row.id: row for row in gallery.find()}
            batches = sorted({int(id.partition("/")[0]) for id in found})
            assert len(found) == len(gallery) == _ROWS * len(batches)
            for rows, features in map(_batch, batches):
                for row, feature in zip(rows, features, strict=True):
                    assert found[row.id] == row, f"{row.id} is another"
                    assert np.array_equal(gallery.feature(row.id), feature), f"{row.id} has another feature"
        return batches

    def between(self, done: Path) -> Iterable[Any]:
        return [[1, 2]]


_MODEL, _ROWS = GalleryModel("kills", 16, "euclidean", ("walking", "riding")), 20


def _batch(number: int) -> tuple[list[GalleryRow], np.ndarray]:
    """Rows and features that follow from the number alone; a batch is a camera."""
    features = np.random.default_rng(number).standard_normal((_ROWS, _MODEL.width), np.float32)
    likely = {"walking": 0.25, "riding": 0.75}
    about = (f"c{number}", number, number + 1, 0, 9, f"{number}.mp4", None, likely)
    return [GalleryRow(f"{number}/{row}", *about) for row in range(_ROWS)], features


def _state(number: int) -> dict[str, Any]:
    return {"state_dict": {"weight": torch.arange(30_000.0) + number}, "epoch": number}


def _number(state: dict[str, Any]) -> int:
    number = state["epoch"]
    assert torch.equal(state["state_dict"]["weight"], _state(number)["state_dict"]["weight"])
    return int(number)


class Testing(Deed):
    """Results in the place of others."""

    name = "testing"

    def begin(self, folder: Path) -> None:
        write_results(results_of(0), folder)

    def do(self, folder: Path) -> None:
        write_results(results_of(1), folder)

    def look(self, folder: Path) -> Any:
        found = read_results(folder)
        return found.retrieval, {name: values.tolist() for name, values in found.per_query.items()}


class Labelling(Deed):
    """A label file in the place of another."""

    name = "labelling"
    _space = label_space("actions8")

    def begin(self, folder: Path) -> None:
        write_labels(folder / "actions.csv", {f"{person:04d}": {"walking"} for person in range(500)})

    def do(self, folder: Path) -> None:
        write_labels(folder / "actions.csv", {f"{person:04d}": {"riding"} for person in range(700)})

    def look(self, folder: Path) -> Any:
        entries = read_labels(folder / "actions.csv", self._space).entries
        return len(entries), sorted(set().union(*(labels or () for labels in entries.values())))


class Answering(Deed):
    """The answers of recognise, of which one goes and one comes."""

    name = "answering"

    def begin(self, folder: Path) -> None:
        self._answer(folder, "a.csv", "mot/gate.txt")

    def do(self, folder: Path) -> None:
        self._answer(folder, "b.csv", "mot/gate.txt")

    def look(self, folder: Path) -> Any:
        """That none is unknown to the record, and none is written in half."""
        AnswerFolder(folder).close()
        known = json.loads((folder / RECORD).read_text())["files"]
        for path in (path for path in folder.rglob("[!.]*") if path.is_file() and path.name != RECORD):
            name = str(path.relative_to(folder))
            assert name in known, f"{name} is not in the record"
            assert path.read_text() == f"{name}\n" * 999, f"{name} is not whole"
        return "whole"

    def _answer(self, folder: Path, *names: str) -> None:
        with AnswerFolder(folder) as own:
            own.claim(names)
            own.drop_others(names)
            for name in names:
                write_atomically(folder / name, f"{name}\n".encode() * 999)


_SMALL: dict[str, Any] = {"people": (2, 3), "cameras": 2, "tracklets": (4, 12), "size": (16, 16)}


class Drawing(Deed):
    """A small street: there is none, or it is whole."""

    name = "drawing"

    def do(self, folder: Path) -> None:
        synthped.make(folder, "tiny", **_SMALL, workers=1)

    def look(self, folder: Path) -> Any:
        return digests(folder / "mars")


class Training(Deed):
    """Three epochs, each saved and tested: what is saved last is what it would have been."""

    name = "training"
    to_the_byte = False  # the record tells how long steps took

    def prepare(self, folder: Path) -> None:
        """A street of a few people, and a network of one convolution."""
        self.root = folder / "street"
        synthped.make(self.root, "tiny", **_SMALL, folder="synthped", workers=1)

    def place(self, folder: Path) -> Path:
        """Not the log, to which each line is written by a call of its own."""
        return folder / "model"

    def do(self, folder: Path) -> None:
        train_tiny(self.root, folder, max_epoch=3, save_every=1, keep=0)

    def look(self, folder: Path) -> Any:
        newest = CheckpointStore(folder / "model").newest()
        return None if newest is None else _told(newest[0])

    def between(self, done: Path) -> Iterable[Any]:
        return [_told(path) for path in (done / "model").glob("model.pth.tar-*")]


def train_tiny(root: Path, folder: Path, max_epoch: int, save_every: int = 0, keep: int = 2) -> None:
    """Train a network of one convolution on the street in ``root/synthped``, with a test after each epoch."""
    registration.register_model("tiny", _tiny)
    cfg = default_config()
    options = {
        **{"data.root": str(root), "data.save_dir": str(folder), "data.workers": 0},
        **{"data.type": "video", "data.sources": ["synthped"], "data.targets": ["synthped"]},
        **{"data.height": 16, "data.width": 16, "video.seq_len": 2, "train.max_epoch": max_epoch},
        **{"model.name": "tiny", "model.pretrained": False, "loss.name": "reidar"},
        **{"sampler.train_sampler": "identity_pass", "sampler.num_instances": 2, "train.batch_size": 4},
        **{"test.batch_size": 4, "test.eval_freq": 1, "reidar.labels.space": "actions3"},
        **{"reidar.train.save_every": save_every, "reidar.train.keep": keep, "reidar.test.resamples": 10},
    }
    cfg.merge_from_list([part for item in options.items() for part in item])
    cfg.use_gpu = False
    launch.run(cfg)


def _tiny(num_classes: int, loss: str, pretrained: bool, use_gpu: bool) -> JointModel:
    network = nn.Sequential(nn.Conv2d(3, 8, 5, stride=4, padding=2), nn.BatchNorm2d(8), nn.ReLU())
    backbone = Backbone("tiny", network, nn.Module.__call__, channels=8, map_size=(4, 4), frame_size=(16, 16))
    pooling = build_pooling("attention", channels=8, size=(4, 4), width=4)
    return JointModel(
        backbone, pooling, num_classes=num_classes, actions=ActionNetwork(8, 3, width=4), loss=loss
    )


def _told(checkpoint: Path) -> tuple[str, str]:
    state = read_checkpoint(checkpoint)
    digest = hashlib.sha256()
    for name in ("state_dict", "optimizer"):
        _take(state[name], digest)
    return checkpoint.name, digest.hexdigest()


def _take(value: Any, digest: Any) -> None:
    if isinstance(value, torch.Tensor):
        digest.update(value.contiguous().numpy().tobytes())
    elif isinstance(value, dict):
        for name, each in value.items():
            digest.update(repr(name).encode())
            _take(each, digest)
    elif isinstance(value, list):
        for each in value:
            _take(each, digest)
    else:
        digest.update(repr(value).encode())


def digests(folder: Path) -> dict[str, str]:
    """Of all files that are not hidden, by name."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if "/." not in f"/{(name := str(path.relative_to(folder)))}"
    }


DEEDS = (Saving(), Testing(), Labelling(), Answering(), Adding(), Drawing(), Training())
