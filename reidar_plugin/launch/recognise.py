"""From a model and videos, folders or a data set to a folder of answers: who was where, when, and what they did."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.annotate import annotate_video
from reidar_plugin.inference.answer_folder import AnswerFolder
from reidar_plugin.inference.calibration import Calibration
from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.gallery import Gallery, check_gallery, open_gallery
from reidar_plugin.inference.identify import Seen, identify
from reidar_plugin.inference.open_set import Limit
from reidar_plugin.inference.picture_folders import PictureTracklet, recognise_pictures
from reidar_plugin.inference.recognise import Asked, Found, recognise_video
from reidar_plugin.inference.recognised_files import (
    row_of,
    write_features,
    write_mot,
    write_rows,
    write_table,
)
from reidar_plugin.inference.recognised_gallery import (
    add_to_gallery,
    check_dated,
    model_of,
    new_to_gallery,
    write_known,
)
from reidar_plugin.inference.recognised_page import people_report
from reidar_plugin.inference.recognised_truth import score_answers
from reidar_plugin.io.console import say
from reidar_plugin.report.page.people_page import people_page
from reidar_plugin.report.page.render import write_page
from reidar_plugin.report.results import installed_versions

__all__ = ["Answer", "Judgement", "recognise"]


class Judgement(NamedTuple):
    """From which mean distance on tracklets are different people."""

    threshold: float | None
    words: str
    calibration: Calibration | None = None

    @classmethod
    def choose(cls, threshold: float | None, calibration: Calibration | None, name: str = "") -> "Judgement":
        """A threshold that is given by hand goes before that of a calibration; without both nobody is joined."""
        if threshold is not None and not (math.isfinite(threshold) and threshold >= 0):
            raise ConfigError(f"threshold: expected a distance of at least 0, got {threshold}")
        if threshold is not None:
            return cls(threshold, f"{threshold:g}, given by hand", calibration)
        if calibration is not None:
            return cls(
                calibration.threshold, f"{calibration.threshold:.4g}, calibrated in {name}", calibration
            )
        return cls(None, "none was given, so no tracklets are joined and each is a person of its own")

    def limit(self, answer: "Answer") -> Limit | None:
        """Up to where the gallery knows somebody; None where it is not asked."""
        if self.calibration is None or not answer.gallery:
            return None
        return Limit.of(self.calibration, answer.false_alarms)

    def check(self, asked: Asked) -> None:
        """Refuse a calibration of another model or metric.

        Raises:
            ReidarError: it is one.
        """
        if self.calibration is None:
            return
        predictor = asked.predictor
        cut = predictor.card.of_all_frames().cut
        self.calibration.check(asked.fingerprint, predictor.feature_size, cut)
        if self.calibration.metric != predictor.distance:
            raise ConfigError(
                f"the calibration is of {self.calibration.metric} distances, the model's are {predictor.distance}; "
                "calibrate this model"
            )


@dataclass(frozen=True)
class Answer:
    """Where answers go, and which."""

    folder: Path
    title: str
    table: str = "csv"  #: or ``parquet``
    annotate: bool = False
    gallery: str = ""  #: URI; empty for none
    false_alarms: float | None = (
        None  #: of strangers, where a calibration says whom the gallery knows; see :meth:`.Limit.of`
    )

    def names(self, source: Sequence[Any], asks: bool) -> list[str]:
        """Of all files, relative to the folder.

        Args:
            source: as of :func:`recognise`.
            asks: whether the gallery is asked whom it knows.
        """
        videos = [one.name for one in source if isinstance(one, Camera)]
        if self.annotate and len(videos) < len(source):
            raise ConfigError("pictures have no video to draw on; leave --annotate out")
        annotated = [f"annotated/{name}.mp4" for name in videos] if self.annotate else []
        tables = [f"tracklets.{self.table}", "tracklets.jsonl", "features.npy", "report.html"]
        known = ["known.csv"] if asks else []
        return [*tables, *known, *(f"mot/{name}.txt" for name in videos), *annotated]


def recognise(
    source: Sequence[Camera] | Sequence[PictureTracklet], asked: Asked, judgement: Judgement, answer: Answer
) -> list[Seen]:
    """Find people, join their tracklets, and write all answers; started again, it goes on where it was stopped.

    Args:
        source: cameras with their videos, or tracklets of pictures.
        asked: the model, and how people are found in videos.
        judgement: from which distance on tracklets are different people.
        answer: what is written, and where.

    Returns:
        The tracklets with their people.
    """
    judgement.check(asked)
    if answer.gallery:
        check_dated([one for one in source if isinstance(one, Camera)], len(source))
        check_gallery(answer.gallery, model_of(asked))
    limit = judgement.limit(answer)
    names = answer.names(source, limit is not None)
    with AnswerFolder(answer.folder) as folder:
        folder.claim(names)
        kept = answer.folder / "found"
        kept.mkdir(exist_ok=True)
        found = _find(source, asked, kept)
        seen = identify(found, judgement.threshold, asked.predictor.distance)
        people = len({one.person for one in seen})
        say(f"{len(seen):,} tracklets, {people:,} people; threshold: {judgement.words}")
        if answer.gallery:
            with _gallery(asked, answer) as gallery:
                new_to_gallery(gallery, folder.id, seen)  # tells a conflict before an answer is replaced
        folder.drop_others(names)
        _write(found, seen, asked, judgement, answer)
        if answer.annotate:
            _annotate(found, seen, asked, answer.folder)
        if answer.gallery:
            _into_gallery(seen, asked, answer, folder.id, limit)
    return seen


def _into_gallery(seen: Sequence[Seen], asked: Asked, answer: Answer, run: str, limit: Limit | None) -> None:
    with _gallery(asked, answer) as gallery:
        if limit is not None:
            known = write_known(answer.folder / "known.csv", gallery, run, seen, limit)
            say(f"{answer.gallery}: {known}")
        new = add_to_gallery(gallery, run, seen)
    say(f"{answer.gallery}: {new:,} tracklets added as {run}, {len(seen) - new:,} were there")


def _gallery(asked: Asked, answer: Answer) -> Gallery:
    return open_gallery(answer.gallery, model_of(asked), write=True)


def _find(source: Sequence[Any], asked: Asked, kept: Path) -> list[Found]:
    cameras = [one for one in source if isinstance(one, Camera)]
    if cameras:
        return [recognise_video(camera, asked, kept) for camera in cameras]
    return recognise_pictures([one for one in source if isinstance(one, PictureTracklet)], asked, kept)


def _write(
    found: Sequence[Found], seen: Sequence[Seen], asked: Asked, judgement: Judgement, answer: Answer
) -> None:
    predictor = asked.predictor
    rows = [row_of(one, predictor.actions, predictor.thresholds) for one in seen]
    write_table(answer.folder / f"tracklets.{answer.table}", rows, predictor.actions)
    write_rows(answer.folder / "tracklets.jsonl", rows)
    write_features(answer.folder / "features.npy", seen)
    for each in found:
        if each.findings.width:
            write_mot(answer.folder / "mot" / f"{each.camera.name}.txt", each, seen)
    thresholds = dict(zip(predictor.actions, predictor.thresholds.tolist(), strict=True))
    probability = None if judgement.calibration is None else judgement.calibration.probability
    facts = dict(_facts(found, asked, judgement))
    if scores := score_answers(found, seen):
        facts["against the truth"] = scores
        say(f"against the truth: {scores}")
    report = people_report(
        answer.title, seen, thresholds, predictor.distance, facts, probability, _timed(found)
    )
    say(f"report: {write_page(answer.folder / 'report.html', people_page(report))}")


def _facts(found: Sequence[Found], asked: Asked, judgement: Judgement) -> Iterator[tuple[str, str]]:
    yield "model", f"{asked.predictor.card.model}, {asked.fingerprint}"
    yield (
        "distance",
        {"euclidean": "squared Euclidean"}.get(asked.predictor.distance, asked.predictor.distance),
    )
    yield "threshold of identities", judgement.words
    for each in found:
        if each.findings.width:
            yield f"camera {each.camera.name}", _source(each, asked)
    yield "versions", ", ".join(f"{name} {version}" for name, version in installed_versions().items())


def _timed(found: Sequence[Found]) -> bool:
    """Videos tell times, pictures do not."""
    return all(each.findings.width for each in found)


def _source(each: Found, asked: Asked) -> str:
    who = each.camera.tracks.name if each.camera.tracks is not None else asked.finder.detector
    return f"{each.camera.video.name} ({each.findings.width} x {each.findings.height}), people from {who}"


def _annotate(found: Sequence[Found], seen: Sequence[Seen], asked: Asked, folder: Path) -> None:
    predictor = asked.predictor
    names = np.array(predictor.actions, dtype=object)
    labels = [
        " ".join([str(one.person), *names[one.summary.actions >= predictor.thresholds]]) for one in seen
    ]
    for each in found:
        path = folder / "annotated" / f"{each.camera.name}.mp4"
        annotate_video(path, each, seen, labels, asked.finder.on_broken)
        say(f"annotated: {path}")
