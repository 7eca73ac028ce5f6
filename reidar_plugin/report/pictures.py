"""The pictures of a test, written to a folder; each kind of picture has a module of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reidar_plugin.metrics.actions import precision_recall_curve
from reidar_plugin.metrics.examples import Example
from reidar_plugin.report.action_charts import confusion_picture, f1_picture, precision_recall_picture
from reidar_plugin.report.ranked import RankedTracklet, ranked_picture
from reidar_plugin.report.strips import ShownTracklet

__all__ = ["write_action_pictures", "write_ranked_pictures"]


def write_ranked_pictures(
    folder: str | Path,
    examples: Sequence[Example],
    query: Sequence[ShownTracklet],
    gallery: Sequence[ShownTracklet],
    actions: Sequence[str] = (),
    *,
    title: str = "",
) -> list[Path]:
    """Write ``ranked_<query>.png`` for every example.

    Args:
        folder: where to.
        examples: of :func:`~reidar_plugin.metrics.examples.rank_examples`.
        query, gallery: the tracklets in the order of the features; only those of the examples are read.
        actions: names of the action network's outputs.
        title: what made the ranking: model and protocol.
    """
    paths = []
    for example in examples:
        ranked = [
            RankedTracklet(gallery[place], distance)
            for place, distance in zip(example.gallery, example.distances, strict=True)
        ]
        canvas = ranked_picture(query[example.query], ranked, actions, title=title)
        paths.append(canvas.save(Path(folder) / f"ranked_{example.query:05d}.png"))
    return paths


def write_action_pictures(
    folder: str | Path, record: Mapping[str, Any], likelihoods: Any, labels: Any, *, title: str = ""
) -> list[Path]:
    """Write ``confusion.png``, ``precision_recall.png`` and ``f1.png``.

    Args:
        folder: where to.
        record: ``results.actions``.
        likelihoods, labels: what it was made of, ``(N, M)``; unknown labels are rows of NaN.
        title: what was tested, put before each title.
    """
    scores, given = np.asarray(likelihoods), np.asarray(labels)
    known = ~np.isnan(given).any(axis=1)
    curves = {
        name: precision_recall_curve(scores[known, place], given[known, place] > 0)
        for place, name in enumerate(record["per_action"])
        if (given[known, place] > 0).any()
    }
    before = f"{title}: " if title else ""
    pictures = {
        "confusion": confusion_picture(record, f"{before}given actions against predicted ones"),
        "precision_recall": precision_recall_picture(curves, f"{before}precision against recall"),
        "f1": f1_picture(record, f"{before}F1 of each action"),
    }
    return [canvas.save(Path(folder) / f"{name}.png") for name, canvas in pictures.items()]
