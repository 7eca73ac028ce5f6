"""A store of tracklets that outlives the run: features to search by, and what is known of each tracklet.

LanceDB keeps it: a folder of files that never change once written, or a bucket (``s3://…``) by the same calls. Search
is exact. An add is one version of the table, so it is there whole or not at all. docs/gallery.md says how that was
tried, and why it is LanceDB and not Milvus Lite.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from reidar_plugin.errors import ConfigError, ReidarError, shown, summary
from reidar_plugin.inference.gallery_files import copy_folder, lock_folder, sync_folder
from reidar_plugin.inference.gallery_filter import Where
from reidar_plugin.inference.gallery_rows import (
    GalleryError,
    GalleryModel,
    GalleryRow,
    Match,
    check_features,
    check_times,
    known_model,
    row_of,
    schema_of,
    table_of,
)

__all__ = [
    "Gallery",
    "GalleryError",
    "GalleryModel",
    "GalleryRow",
    "Match",
    "Where",
    "check_gallery",
    "open_gallery",
]

_TABLE = "tracklets"
_CHUNK = 2048  # ids in one condition
_KEPT = timedelta(hours=1)  # readers that began before a compaction have so long to finish
_DISTANCES = {"euclidean": "l2", "cosine": "cosine"}  # LanceDB's l2 is the squared one, as ours


def open_gallery(
    uri: str | os.PathLike[str], model: GalleryModel | None = None, write: bool = False
) -> "Gallery":
    """Open a gallery to search it, or to write as well; close it, or use it in a ``with``.

    Args:
        uri: a folder, or where LanceDB stores otherwise (``s3://…``, ``gs://…``, ``az://…``).
        model: the model whose features will be added or searched by; a gallery of another model is refused. It is needed to
            make a new gallery.
        write: a missing gallery is made. One process may write to a folder at a time, and any number may search
            meanwhile. A bucket has no such lock: LanceDB orders the adds of several writers, but an id may come twice.

    Raises:
        GalleryError: it is missing, of another model, being written to by another process, or cannot be read.
        ConfigError: LanceDB is not installed.
    """
    uri = _place(uri)
    folder = None if "://" in uri else Path(uri)
    if folder is not None and not write and not (folder / f"{_TABLE}.lance").is_dir():
        what = "this is a file" if folder.is_file() else "there is none; add tracklets to make one"
        raise GalleryError(f"{uri}: expected a gallery, {what}")
    with contextlib.ExitStack() as undo:
        lock = lock_folder(folder) if write and folder is not None else None
        if lock is not None:
            undo.callback(lock.release)
        table = _open_or_make(uri, model if write else None)
        known = _model_of(uri, table, model)
        undo.pop_all()
    return Gallery(uri, table, known, lock, write)


def check_gallery(uri: str | os.PathLike[str], model: GalleryModel) -> None:
    """Refuse beforehand what :func:`open_gallery` would refuse to write to; a missing gallery is not made yet.

    Args:
        uri: as there.
        model: whose features will be added.

    Raises:
        GalleryError, ConfigError: as there.
    """
    uri = _place(uri)
    if "://" not in uri:
        lock_folder(Path(uri)).release()
    table = _open_table(uri)
    if table is not None:
        _model_of(uri, table, model)


class Gallery:
    """An open gallery, as :func:`open_gallery` gives it.

    Args:
        uri: where it is.
        table: an open table of LanceDB.
        model: the model whose features it holds.
        lock: held while this process may write to a folder.
        write: whether it is open for writing.
    """

    def __init__(self, uri: str, table: Any, model: GalleryModel, lock: FileLock | None, write: bool) -> None:
        self.uri, self.model = uri, model
        self._table, self._lock, self._write = table, lock, write
        self._synced: set[str] = (
            set()
        )  # a writer that was killed may have left files that are not on the disk yet

    def __enter__(self) -> "Gallery":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        with self._latest() as table:
            return table.count_rows()

    def close(self) -> None:
        """Write no more, and let another process write."""
        self._write = False
        if self._lock is not None:
            self._lock.release()

    def add(self, rows: Sequence[GalleryRow], features: NDArray[np.floating]) -> None:
        """Add tracklets: all of them or, after an error or a kill, none. They are on the disk when this returns.

        Each add is a version of its own, so add the tracklets of a video together.

        Args:
            rows: N tracklets. An id that is in the gallery already is refused.
            features: ``(N, D)``, finite, of the gallery's model.
        """
        self._check_writing()
        with _explained(self.uri):
            table = table_of(rows, features, self.model)
        known = self.known([row.id for row in rows])
        if known:
            raise GalleryError(
                f"{self.uri}: {len(known)} of {len(rows)} ids are there already, such as {min(known)!r}; delete them "
                "first, or add under another run"
            )
        if rows:
            self._commit(lambda latest: latest.add(table))

    def known(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that are in the gallery: a run that goes on asks what it has added before."""
        found: set[str] = set()
        for part in _chunks(ids):
            condition = Where(ids=part).sql(())
            with self._latest() as table:
                found.update(
                    table.search().where(condition).limit(None).select(["id"]).to_arrow()["id"].to_pylist()
                )
        return found

    def rows(self, ids: Sequence[str]) -> dict[str, GalleryRow]:
        """Those of the ids that are in the gallery, with their rows."""
        found = (self.find(Where(ids=part)) for part in _chunks(ids))
        return {row.id: row for part in found for row in part}

    def search(
        self, feature: NDArray[np.floating], count: int = 10, where: Where | None = None
    ) -> list[Match]:
        """The nearest rows, nearest first.

        Args:
            feature: ``(D,)``, of the gallery's model.
            count: how many at most.
            where: only these rows. It is applied before the search, so that ``count`` of them are found.
        """
        with self._latest() as table:
            query = check_features(np.asarray(feature)[None], 1, self.model)[0]
            search = table.search(query).distance_type(_DISTANCES[self.model.metric]).limit(count)
            found = self._read(search, where, "_distance")
            return [Match(row_of(columns, self.model), max(columns["_distance"], 0.0)) for columns in found]

    def find(self, where: Where | None = None, count: int | None = None) -> list[GalleryRow]:
        """Rows by what is known of them, in order of their start; all of them if ``count`` is None."""
        with self._latest() as table:
            found = self._read(table.search().limit(None), where)
            rows = [row_of(columns, self.model) for columns in found]
        rows.sort(key=lambda row: (row.start, row.id))
        return rows[:count]

    def extent(self) -> tuple[float, float] | None:
        """The first start and the last end of all tracklets; None of an empty gallery."""
        with self._latest() as table:
            found = table.search().limit(None).select(["start", "end"]).to_arrow()
            if not len(found):
                return None
            extent = float(np.min(found["start"].to_numpy())), float(np.max(found["end"].to_numpy()))
            check_times("first and last of its tracklets", *extent)
        return extent

    def names(self, column: Literal["camera", "identity"]) -> list[str]:
        """All cameras, or all people, of the gallery, sorted."""
        with self._latest() as table:
            found = table.search().limit(None).select([column]).to_arrow()
        return sorted(name for name in found[column].unique().to_pylist() if name is not None)

    def feature(self, id: str) -> NDArray[np.float32]:
        """``(D,)``, the feature of the row of that id."""
        with self._latest() as table:
            found = table.search().where(Where(ids=(id,)).sql(())).limit(1).select(["feature"]).to_arrow()
            if not len(found):
                raise GalleryError(f"no tracklet has the id {shown(id)}")
            numbers = found["feature"][0].as_py() or []  # None in a table of somebody else
            return check_features(np.array([numbers], np.float32), 1, self.model)[0]

    def delete(self, where: Where) -> int:
        """Delete the rows of a filter, all at once; how many they were. A filter of all rows is refused."""
        self._check_writing()
        with _explained(self.uri):
            condition = where.sql(self.model.actions)
        if not condition:
            raise GalleryError(
                f"{self.uri}: a filter without conditions would delete all; delete the folder instead"
            )
        return self._commit(lambda table: table.delete(condition)).num_deleted_rows

    def compact(self) -> None:
        """Merge the files of many adds, and drop what deleted rows and versions over an hour old have left behind."""
        self._check_writing()
        self._commit(lambda table: table.optimize(cleanup_older_than=_KEPT))

    def snapshot(self, folder: str | os.PathLike[str]) -> None:
        """Make a new gallery of what is here now; its files are links to the same data where the disk allows that.

        The gallery must be open for writing, so that nobody else changes it meanwhile.
        """
        self._check_writing()
        target = Path(folder)
        if self._lock is None or target.exists():
            raise GalleryError(
                f"{target}: a snapshot goes from a gallery in a folder to a folder that is not there yet"
            )
        copy_folder(Path(self.uri), target)

    def _read(self, search: Any, where: Where | None, *more: str) -> list[dict[str, Any]]:
        condition = where.sql(self.model.actions) if where is not None else ""
        if condition:
            search = search.where(condition)  # before the search, which is LanceDB's default
        names = [name for name in self._table.schema.names if name != "feature"]
        return search.select([*names, *more]).to_arrow().to_pylist()

    def _check_writing(self) -> None:
        if not self._write:
            raise GalleryError(f"{self.uri} is not open for writing; use open_gallery(..., write=True)")

    @contextlib.contextmanager
    def _latest(self) -> Iterator[Any]:
        """The table as other processes have left it, its errors in a line."""
        with _explained(self.uri):
            self._table.checkout_latest()
            yield self._table

    def _commit(self, act: Callable[[Any], Any]) -> Any:
        with self._latest() as table:
            done = act(table)
            if self._lock is not None:
                self._synced = sync_folder(Path(self.uri), self._synced)
        return done


def _chunks(ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(ids[start : start + _CHUNK]) for start in range(0, len(ids), _CHUNK))


def _place(uri: str | os.PathLike[str]) -> str:
    """A folder by its whole path: LanceDB reads ``~`` and ``memory:`` in its own way, and lock and fsync know paths."""
    text = os.fspath(uri).removeprefix("file://")
    return text if "://" in text else os.path.abspath(os.path.expanduser(text))


def _model_of(uri: str, table: Any, model: GalleryModel | None) -> GalleryModel:
    """The model of a table, which must give the same features as the one that is asked for."""
    known = known_model(uri, table.schema)
    if model is not None and (other := known.other_than(model)):
        raise GalleryError(f"{uri} is of another model, {other}; use that model, or another gallery")
    return known


def _open_or_make(uri: str, model: GalleryModel | None) -> Any:
    table = _open_table(uri)
    if table is not None:
        return table
    if model is None:
        raise GalleryError(f"{uri}: expected a gallery, there is none; give a model to make one")
    with _explained(uri):
        return _store(uri).create_table(_TABLE, schema=schema_of(model))


def _open_table(uri: str) -> Any:
    """The table, or None where there is no gallery."""
    with _explained(uri):
        try:
            return _store(uri).open_table(_TABLE)
        except ValueError as error:
            if "not found" not in str(error):
                raise
    return None


def _store(uri: str) -> Any:
    try:
        import lancedb
    except ImportError as error:
        raise ConfigError(
            f"galleries need LanceDB ({summary(error)}): pip install 'reidar-plugin[gallery]'"
        ) from error
    return lancedb.connect(uri)


@contextlib.contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Errors within the block in a line that names the gallery."""
    try:
        yield
    except (GalleryError, ConfigError) as error:
        if str(error).startswith(uri):
            raise
        raise type(error)(f"{uri}: {error}") from error
    except ReidarError:
        raise
    except (ValueError, RuntimeError, OSError) as error:  # all that LanceDB raises
        raise GalleryError(f"{uri}: the gallery cannot be used ({summary(error)})") from error
