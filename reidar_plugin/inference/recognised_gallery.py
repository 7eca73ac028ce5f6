"""Tracklets of a recognition as rows of a gallery."""

from collections.abc import Mapping, Sequence

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.gallery import GalleryError, GalleryModel, GalleryRow, open_gallery
from reidar_plugin.inference.identify import Seen, features_of
from reidar_plugin.inference.recognise import Asked
from reidar_plugin.metrics.distances import check_metric

__all__ = ["add_to_gallery", "check_dated"]


def check_dated(dated: bool) -> None:
    """A gallery is asked for dates, so all videos must have one."""
    if not dated:
        raise ConfigError(
            "a gallery needs to know when it was: give each camera a start such as 2026-05-01T09:00:00+02:00"
        )


def add_to_gallery(uri: str, run: str, seen: Sequence[Seen], asked: Asked) -> int:
    """Add the tracklets that are not there yet; how many those were. Those that are must be the same.

    Args:
        uri: of the gallery, which is made if need be.
        run: begins the id of each row, ``<run>/<camera>/<track>``; no other run has it.
        seen: tracklets with dates; identities hold within a run and get its name too.
        asked: the model.
    """
    predictor = asked.predictor
    model = GalleryModel(
        asked.fingerprint, predictor.feature_size, check_metric(predictor.distance), predictor.actions
    )
    rows = [_row(run, one, predictor.actions) for one in seen]
    features = features_of(seen)
    with open_gallery(uri, model, write=True) as gallery:
        known = gallery.rows([row.id for row in rows])
        _check_same(uri, run, [row for row in rows if row.id in known], known)
        new = [place for place, row in enumerate(rows) if row.id not in known]
        if new:
            gallery.add([rows[place] for place in new], features[new])
    return len(new)


def _check_same(uri: str, run: str, rows: Sequence[GalleryRow], known: Mapping[str, GalleryRow]) -> None:
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
