"""Tracklets of a recognition as rows of a gallery, and which of them it knows already."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.gallery import Gallery, GalleryError, GalleryModel, GalleryRow, Where
from reidar_plugin.inference.identify import Seen, features_of
from reidar_plugin.inference.open_set import Limit, who_is
from reidar_plugin.inference.recognise import Asked
from reidar_plugin.io.atomic import write_atomically
from reidar_plugin.metrics.distances import check_metric

__all__ = ["add_to_gallery", "check_dated", "model_of", "new_to_gallery", "write_known"]


def check_dated(cameras: Sequence[Camera], sources: int) -> None:
    """A gallery is asked for dates, so all sources must be videos that have one."""
    if len(cameras) < sources:
        raise ConfigError(
            "a gallery needs to know when it was, and pictures do not tell; leave --gallery out"
        )
    if not all(camera.dated for camera in cameras):
        raise ConfigError(
            "a gallery needs to know when it was: give each camera a start such as 2026-05-01T09:00:00+02:00"
        )


def model_of(asked: Asked) -> GalleryModel:
    """What a gallery must be of."""
    predictor = asked.predictor
    return GalleryModel(
        asked.fingerprint,
        predictor.feature_size,
        check_metric(predictor.distance),
        predictor.actions,
        tuple(map(float, predictor.thresholds)),
    )


def write_known(path: Path, gallery: Gallery, run: str, seen: Sequence[Seen], limit: Limit) -> str:
    """A row a tracklet: the person of the gallery that it is, or nobody; in words, how many people those are.

    Args:
        path: file to write, CSV.
        gallery: whose rows of this very run are passed over.
        run: as in :func:`add_to_gallery`.
        seen: the tracklets.
        limit: up to where they count as known.
    """
    verdicts = who_is(gallery, [one.summary.feature for one in seen], limit, Where(without_run=run))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("camera", "track", "identity", "known_as", "nearest", "distance", "false_alarms"))
    for one, said in zip(seen, verdicts, strict=True):
        near = ("", "") if said.nearest is None else (said.nearest.row.id, f"{said.nearest.distance:.6g}")
        who = (one.camera.name, one.summary.track, one.person, said.who)
        writer.writerow((*who, *near, f"{said.false_alarms:.4f}"))
    write_atomically(path, text.getvalue().encode())
    known = {one.person for one, said in zip(seen, verdicts, strict=True) if said.known}
    people = {one.person for one in seen}
    return (
        f"{len(known):,} of {len(people):,} people have a tracklet that it knows; {limit.words(len(gallery))}"
    )


def add_to_gallery(gallery: Gallery, run: str, seen: Sequence[Seen]) -> int:
    """Add the tracklets that are not there yet; how many those were.

    Args:
        gallery: of :func:`model_of`, open for writing.
        run: begins the id of each row, ``<run>/<camera>/<track>``; no other run has it.
        seen: tracklets with dates; identities hold within a run and get its name too.
    """
    new = new_to_gallery(gallery, run, seen)
    if new:
        gallery.add(list(new.values()), features_of(seen)[list(new)])
    return len(new)


def new_to_gallery(gallery: Gallery, run: str, seen: Sequence[Seen]) -> dict[int, GalleryRow]:
    """Rows of the tracklets that are not there yet, by their place in ``seen``.

    Raises:
        GalleryError: one is there, and differs.
    """
    rows = [_row(run, one, gallery.model.actions) for one in seen]
    known = gallery.rows([row.id for row in rows])
    _check_same(gallery.uri, [row for row in rows if row.id in known], known)
    return {place: row for place, row in enumerate(rows) if row.id not in known}


def _check_same(uri: str, rows: Sequence[GalleryRow], known: Mapping[str, GalleryRow]) -> None:
    """What was added before stays as it is, so it must be what this run says; where the video lies now is free."""
    fields = [name for name in GalleryRow._fields if name != "source"]
    for row in rows:
        other = [name for name in fields if getattr(row, name) != getattr(known[row.id], name)]
        if other:
            raise GalleryError(
                f"{uri} holds {row.id} of an earlier run in this folder, with another {other[0]}: this run was asked "
                "otherwise; write it to a new folder, or add it to another gallery"
            )


def _row(run: str, one: Seen, actions: Sequence[str]) -> GalleryRow:
    said = one.summary
    likely = dict(zip(actions, said.actions.tolist(), strict=True)) if actions else None
    return GalleryRow(
        id=f"{run}/{one.key}",
        camera=one.camera.name,
        start=one.start,
        end=one.end,
        first_frame=said.first_frame,
        last_frame=said.last_frame,
        source=str(one.camera.video.resolve()),
        identity=f"{run}/{one.person}",
        actions=likely,
    )
