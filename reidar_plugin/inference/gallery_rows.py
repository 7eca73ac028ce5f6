"""What a gallery holds of a tracklet, and its form as columns of a table."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reidar_plugin.errors import ReidarError, cut, shown, some
from reidar_plugin.inference.gallery_filter import action_column
from reidar_plugin.io.plain_text import parse_json
from reidar_plugin.metrics.distances import Metric, check_metric

__all__ = [
    "GalleryError",
    "GalleryModel",
    "GalleryRow",
    "Match",
    "check_features",
    "check_times",
    "known_model",
    "row_of",
    "schema_of",
    "table_of",
]

_METADATA, _VERSION = b"reidar", 1
_TEXTS = ("id", "camera", "source")
_WHOLE: Any = (int, np.integer)
_NUMBER: Any = (float, int, np.floating, np.integer)
#: Seconds since 1970 that are a date in every zone, the days before and behind it too.
_FIRST, _LAST = (datetime(*day, tzinfo=timezone.utc).timestamp() for day in ((1, 1, 4), (9999, 12, 28)))


class GalleryError(ReidarError, ValueError):
    """A gallery that cannot be opened or written, or rows that it does not take."""


#: Likelihood from which on an action is said, where a model has no thresholds of its own.
LIKELY = 0.5


class GalleryModel(NamedTuple):
    """What all features of a gallery have in common."""

    fingerprint: str  #: of the model that gave them: any text that differs between models
    width: int  #: D of a feature
    metric: Metric = "euclidean"  #: ``euclidean`` (squared) or ``cosine``, as the model was tested
    actions: tuple[str, ...] = ()  #: names of its actions; none for a model without an action network
    thresholds: tuple[
        float, ...
    ] = ()  #: likelihoods from which on it says them; none: :data:`LIKELY` for all

    @property
    def likely(self) -> dict[str, float]:
        """From which likelihood on each action is said."""
        return dict(zip(self.actions, self.thresholds or (LIKELY,) * len(self.actions), strict=True))

    def other_than(self, model: "GalleryModel") -> str:
        """What keeps features of both from being compared, in words; empty for nothing. Thresholds do not."""
        names = ("fingerprint", "width", "metric", "actions")
        return ", ".join(
            f"{name} {cut(str(getattr(self, name)))} and not {cut(str(getattr(model, name)))}"
            for name in names
            if getattr(self, name) != getattr(model, name)
        )


class GalleryRow(NamedTuple):
    """What is known of a tracklet."""

    id: str  #: one a gallery: ``<run>/<camera>/<track>``
    camera: str
    start: float  #: time of its first frame, in seconds since 1970 in UTC
    end: float  #: time of its last frame, likewise
    first_frame: int  #: in the source, from 0
    last_frame: int  #: the last one that is part of it
    source: str  #: the video or the folder
    identity: str | None = None  #: who it is; None where that is unknown
    actions: Mapping[str, float] | None = None  #: name -> likelihood of every action; None where unknown


class Match(NamedTuple):
    """A row that a search found."""

    row: GalleryRow
    distance: float  #: squared Euclidean or cosine, as the gallery's model has it


def schema_of(model: GalleryModel) -> Any:
    """The Arrow schema of a gallery of that model, which holds the model itself as metadata."""
    import pyarrow as pa

    check_metric(model.metric)
    if model.width < 1 or not model.fingerprint or len(set(model.actions)) != len(model.actions):
        raise GalleryError(
            f"expected a model with a fingerprint, a width and actions that differ, got {model}"
        )
    columns = [
        *((name, pa.string()) for name in _TEXTS),
        ("identity", pa.string()),
        *((name, pa.float64()) for name in ("start", "end")),
        *((name, pa.int64()) for name in ("first_frame", "last_frame")),
        *((action_column(i), pa.float32()) for i in range(len(model.actions))),
        ("feature", pa.list_(pa.float32(), model.width)),
    ]
    return pa.schema(columns, metadata={_METADATA: json.dumps({"version": _VERSION, **model._asdict()})})


def known_model(uri: str, schema: Any) -> GalleryModel:
    """The model of a table that is there.

    Raises:
        GalleryError: it says none, or has other columns than a gallery of that model.
    """
    try:
        told = parse_json((schema.metadata or {}).get(_METADATA, b"{}"))
        if told.pop("version") != _VERSION:
            raise ValueError
        thresholds = tuple(told.get("thresholds", ()))  # galleries of before have none
        model = GalleryModel(**{**told, "actions": tuple(told["actions"]), "thresholds": thresholds})
        if not (_can_be(model) and schema.equals(schema_of(model))):
            raise ValueError
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
        raise GalleryError(
            f"{uri}: expected a gallery of this version of the plugin, got another table, or a damaged one"
        ) from None
    return model


def _can_be(model: GalleryModel) -> bool:
    """Whether values that were read have their types."""
    numbers = [type(least) in (int, float) and 0 <= least <= 1 for least in model.thresholds]
    return (
        all(isinstance(text, str) for text in (model.fingerprint, model.metric, *model.actions))
        and type(model.width) is int
        and model.width > 0
        and model.metric in ("euclidean", "cosine")
        and all(numbers)
        and len(numbers) in (0, len(model.actions))
    )


def table_of(rows: Sequence[GalleryRow], features: NDArray[Any], model: GalleryModel) -> Any:
    """Rows and their features ``(N, D)`` as an Arrow table, or an error that names the row that is wrong."""
    import pyarrow as pa

    vectors = check_features(features, len(rows), model)
    seen: set[str] = set()
    for row in rows:
        _check_row(row, model)
        if row.id in seen:
            raise GalleryError(f"id {row.id!r} comes twice among the rows; expected one row an id")
        seen.add(row.id)
    schema = schema_of(model)
    columns: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in schema.names[:8]}
    for index, action in enumerate(model.actions):
        columns[action_column(index)] = [None if row.actions is None else row.actions[action] for row in rows]
    columns["feature"] = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), model.width)
    return pa.table(columns, schema=schema)


def row_of(columns: Mapping[str, Any], model: GalleryModel) -> GalleryRow:
    """A row from the values of its columns.

    Raises:
        GalleryError: it is none that :func:`table_of` takes.
    """
    likelihoods = [columns[action_column(index)] for index in range(len(model.actions))]
    unknown = all(likelihood is None for likelihood in likelihoods)
    actions = None if unknown else dict(zip(model.actions, likelihoods, strict=True))
    row = GalleryRow(**{name: columns[name] for name in GalleryRow._fields[:-1]}, actions=actions)
    _check_row(row, model)
    return row


def check_features(features: NDArray[Any], count: int, model: GalleryModel) -> NDArray[np.float32]:
    """Float32 ``(count, D)`` of the gallery's width, finite and, for the cosine, not all zero."""
    vectors = np.ascontiguousarray(features, np.float32)
    if vectors.shape != (count, model.width):
        raise GalleryError(
            f"expected features of shape ({count}, {model.width}) as the gallery's model gives them, got "
            f"{vectors.shape}; use one model"
        )
    good = np.isfinite(vectors).all(axis=1)
    if model.metric == "cosine":
        good &= vectors.any(axis=1)
    if not good.all():
        what = "zero or not finite" if model.metric == "cosine" else "not finite"
        raise GalleryError(
            f"{(~good).sum()} of {count} features are {what}, the first is row {good.argmin()}"
        )
    return vectors


def check_times(what: str, start: Any, end: Any) -> None:
    """Refuse times that are no dates, or not in order.

    Args:
        what: whose they are, for the message.
        start: seconds since 1970 in UTC.
        end: likewise.
    """
    if not (isinstance(start, _NUMBER) and isinstance(end, _NUMBER) and _FIRST <= start <= end <= _LAST):
        raise GalleryError(
            f"{cut(what)}: expected a start that is not after its end, got {shown(start)} and {shown(end)}: seconds since "
            "1970, of the years 1 to 9999"
        )


def _check_row(row: GalleryRow, model: GalleryModel) -> None:
    """Each row that goes in or comes out passes here, so it takes no more steps than it needs."""
    id, camera, start, end, first, last, source, identity, actions = row
    if not (
        isinstance(id, str)
        and isinstance(camera, str)
        and isinstance(source, str)
        and id
        and camera
        and source
    ):
        raise GalleryError(f"expected text for id, camera and source, got {shown(tuple(row), 500)}")
    if identity is not None and not isinstance(identity, str):
        raise GalleryError(f"{cut(id)}: expected text or None for identity, got {shown(identity)}")
    check_times(id, start, end)
    if not (isinstance(first, _WHOLE) and isinstance(last, _WHOLE) and 0 <= first <= last):
        raise GalleryError(f"{cut(id)}: expected frames in order, got {shown(first)} to {shown(last)}")
    if actions is None:
        return
    if actions.keys() != set(model.actions):
        raise GalleryError(
            f"{cut(id)}: expected a likelihood of {some(model.actions)}, got {shown(dict(actions))}"
        )
    for likely in actions.values():
        if not (isinstance(likely, _NUMBER) and 0 <= likely <= 1):
            raise GalleryError(f"{cut(id)}: expected likelihoods from 0 to 1, got {shown(dict(actions))}")
