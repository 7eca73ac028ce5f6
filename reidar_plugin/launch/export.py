"""A trained model to an ONNX file, whole or smaller, and whether the file still tells people and actions apart."""

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.model_card import ModelCard
from reidar_plugin.inference.onnx_export import ExportError, Parity, export_onnx
from reidar_plugin.inference.onnx_judge import OnnxJudge, load_onnx
from reidar_plugin.inference.onnx_reduce import halve, to_int8
from reidar_plugin.inference.predictor import Predictor, frames_of_a_batch
from reidar_plugin.inference.tracklet_frames import TrackletFrames
from reidar_plugin.inference.trained_model import TrainedModel
from reidar_plugin.io.progress import progress
from reidar_plugin.labels.from_config import configured_space
from reidar_plugin.launch.dataset_tracklets import open_dataset
from reidar_plugin.metrics.actions import evaluate_actions
from reidar_plugin.metrics.distances import check_metric
from reidar_plugin.metrics.protocol_results import evaluate_retrieval
from reidar_plugin.metrics.protocols import TrackletFeatures, protocols_of

__all__ = ["ComparedSet", "Exported", "Figures", "calibration_clips", "export", "judge"]

HALF, INT8 = "half", "int8"

POINTS = 0.5  #: by which mAP of people and of actions may differ, in percent
CALIBRATION = 128  #: training tracklets whose first clip int8 is calibrated on, evenly spread
CLIPS = 4  # of a batch of them


class ComparedSet(NamedTuple):
    """A data set to compare on."""

    name: str
    content: Any  #: the host's data set

    @classmethod
    def open(cls, place: Path, trained: TrainedModel) -> "ComparedSet":
        """Open ``FOLDER/dataset`` with the labels of the model's own config."""
        return cls(place.name, open_dataset(place.name, str(place.parent), trained.config))


class Figures(NamedTuple):
    """How a predictor does on the test tracklets of a data set, by plain distances."""

    protocol: str  #: title of the first one
    identities: float  #: mAP, in percent
    actions: float | None  #: mean average precision, in percent; None where the data set knows none
    speed: float  #: tracklets a second of processor time
    distance: str  #: cosine or euclidean

    def words(self) -> str:
        """In words."""
        actions = "" if self.actions is None else f", of actions {self.actions:.2f}"
        how = f"({self.protocol}, {self.distance})"
        return f"mAP {self.identities:.2f}{actions} {how}, {self.speed:.1f} tracklets a CPU second"

    def agrees(self, other: "Figures") -> bool:
        """Whether no mean average precision differs by more than :data:`POINTS`."""
        mine, theirs = self.actions or 0.0, other.actions or 0.0
        return abs(self.identities - other.identities) <= POINTS and abs(mine - theirs) <= POINTS


class Exported(NamedTuple):
    """What was written."""

    parity: Parity  #: of the whole graph, before it was made smaller
    figures: tuple[Figures, Figures] | None  #: of torch and of the file; None where they were not measured


def export(trained: TrainedModel, path: Path, reduction: str = "", dataset: Path | None = None) -> Exported:
    """Write a model to a file, which gets its name only when it holds what was asked of it.

    Args:
        trained: the model.
        path: the file.
        reduction: :data:`HALF`, :data:`INT8`, or empty.
        dataset: ``FOLDER/dataset``, on which torch and the file are compared, and int8 is calibrated.

    Raises:
        ConfigError: int8 without a data set.
        ExportError: the model cannot be exported, or the file differs by more than :data:`POINTS`.
    """
    if reduction == INT8 and dataset is None:
        raise ConfigError(
            "int8 is calibrated on training tracklets: say which with --check-on FOLDER/dataset"
        )
    test = None if dataset is None else ComparedSet.open(dataset, trained)
    figures: list[Figures] = []

    def finish(part: Path, whole: OnnxJudge) -> None:
        if reduction == HALF:
            halve(part)
        elif reduction == INT8 and test is not None:
            to_int8(part, list(calibration_clips(test.content.train, trained.card)), whole)
        if test is not None:
            figures.extend(_compare(trained, part, test))

    parity = export_onnx(trained, path, finish=finish)
    return Exported(parity, (figures[0], figures[1]) if figures else None)


def judge(predictor: Predictor, test: ComparedSet, trained: TrainedModel, title: str) -> Figures:
    """Test a predictor as the engine tests, under the first protocol.

    Args:
        predictor: in any form.
        test: the data set.
        trained: the model that it is a form of.
        title: of the progress bar.
    """
    samples = [*test.content.query, *test.content.gallery]
    began = time.process_time()
    said = list(progress(title, predictor(list(paths) for paths, *_ in samples), len(samples)))
    spent = time.process_time() - began
    features = torch.from_numpy(np.stack([each.feature for each in said]))
    pids, camids = (torch.tensor([sample[column] for sample in samples]) for column in (1, 2))
    every, queries = TrackletFeatures(features, pids, camids), len(test.content.query)
    query, gallery = every.take(torch.arange(queries)), every.take(torch.arange(queries, len(samples)))
    protocols = protocols_of(test.name)[:1]
    (found,) = evaluate_retrieval(query, gallery, protocols, metric=check_metric(predictor.distance))
    actions = _judge_actions(np.stack([each.actions for each in said]), samples, trained)
    return Figures(found.title, 100 * found.retrieval.mAP, actions, len(samples) / spent, predictor.distance)


def calibration_clips(samples: Sequence[Any], card: ModelCard) -> Iterator[Tensor]:
    """Batches of clips ``(B, T, H, W, 3)``, the first of each of 128 tracklets at most."""
    chosen = np.unique(np.linspace(0, len(samples) - 1, CALIBRATION).astype(int)).tolist()
    places = iter(progress("calibration", chosen, len(chosen)))
    while batch := list(islice(places, CLIPS)):
        clips = torch.empty(len(batch), card.clip_length, card.height, card.width, 3, dtype=torch.uint8)
        for place, out in zip(batch, clips.numpy(), strict=True):
            tracklet = TrackletFrames(list(samples[place][0]), place, card)
            tracklet.read(tracklet.clips()[0], out)
        yield clips


def _compare(trained: TrainedModel, file: Path, test: ComparedSet) -> tuple[Figures, Figures]:
    of_torch = judge(Predictor.of(trained), test, trained, "torch")
    session, card = load_onnx(file, torch.device("cpu"))
    of_file = judge(Predictor(session, card, frames_of_a_batch("cpu", card)), test, trained, "file")
    if not of_torch.agrees(of_file):
        raise ExportError(
            f"the file differs by more than {POINTS} points: torch has {of_torch.words()}, the file {of_file.words()}; "
            "nothing was written"
        )
    return of_torch, of_file


def _judge_actions(scores: np.ndarray, samples: Sequence[Any], trained: TrainedModel) -> float | None:
    """Mean average precision in percent; None where no tracklet is known to show any action."""
    if not trained.card.actions:
        return None
    space = configured_space(trained.config.reidar)
    labels = np.stack([space.encode(getattr(paths, "labels", None)) for paths, *_ in samples])
    if not np.nan_to_num(labels).any():
        return None
    return 100 * evaluate_actions(scores, labels, trained.card.actions).macro.average_precision
