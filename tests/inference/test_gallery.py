import multiprocessing
import os
import re
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
import torch

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.gallery import (
    Gallery,
    GalleryError,
    GalleryRow,
    Where,
    check_gallery,
    open_gallery,
)
from reidar_plugin.metrics.distances import pairwise_distances
from tests import warm
from tests.inference.gallery_street import MODEL, START, features_of, rows_of, write_gallery
from tests.versions import need

pytestmark = need("lancedb")

FILTERS: list[tuple[Where, Callable[[GalleryRow], bool]]] = [
    (Where(cameras=("o'yard",)), lambda row: row.camera == "o'yard"),
    (Where(cameras=("gate", "o'yard")), lambda row: True),
    (Where(identities=("p1", "p4")), lambda row: row.identity in ("p1", "p4")),
    (
        Where(actions={"riding": 0.3}),
        lambda row: bool(row.actions) and row.actions["riding"] >= np.float32(0.3),
    ),
    (
        Where(actions={"riding": 0.2, "walking": 0.7}),
        lambda row: bool(row.actions) and 0.195 < row.actions["riding"] < 0.305,
    ),
    (
        Where(spans=((START + 600, START + 1800), (START + 7200, START + 7201))),
        lambda row: (row.end >= START + 600 and row.start < START + 1800) or row.start == START + 7200,
    ),
    (Where(spans=((START + 620, START + 640),)), lambda row: row.start == START + 600),  # it goes on at 620
    (
        Where(cameras=("gate",), spans=((START, START + 9000),), actions={"walking": 0.9}),
        lambda row: (
            row.camera == "gate"
            and row.start < START + 9000
            and bool(row.actions)
            and row.actions["walking"] > 0.895
        ),
    ),
]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[GalleryRow], np.ndarray]:
    folder = tmp_path_factory.mktemp("stored") / "gallery"
    rows, features = write_gallery(folder)
    return folder, [stored_form(row) for row in rows], features


def stored_form(row: GalleryRow) -> GalleryRow:
    """Likelihoods are kept in float32."""
    if row.actions is None:
        return row
    return row._replace(actions={name: float(np.float32(value)) for name, value in row.actions.items()})


def test_gives_back_what_was_added(stored: tuple[Path, list[GalleryRow], np.ndarray]) -> None:
    folder, rows, features = stored
    with open_gallery(folder) as gallery:
        assert gallery.model == MODEL
        assert len(gallery) == 60
        assert gallery.find() == rows
        assert gallery.find(count=3) == rows[:3]
        np.testing.assert_array_equal(gallery.feature(rows[17].id), features[17])
        assert gallery.known([rows[3].id, "no/such/1"]) == {rows[3].id}
        assert gallery.extent() == (START, START + 59 * 600 + 30)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_search_is_exact_search_among_the_rows_of_the_filter(
    tmp_path: Path, metric: str, number: int
) -> None:
    model = MODEL._replace(metric=metric)
    rows, features = write_gallery(tmp_path / "gallery", model=model)
    where, holds = FILTERS[number]
    expected = [i for i, row in enumerate(rows) if holds(stored_form(row))]
    assert 0 < len(expected) <= 60
    query = features_of(1, seed=9)
    distances = pairwise_distances(torch.from_numpy(query), torch.from_numpy(features[expected]), metric)[0]
    order = distances.argsort()[:5].tolist()
    with open_gallery(tmp_path / "gallery") as gallery:
        found = gallery.search(query[0], 5, where)
        assert [match.row for match in found] == [stored_form(rows[expected[i]]) for i in order]
        np.testing.assert_allclose([match.distance for match in found], distances[order].numpy(), rtol=1e-4)
        assert gallery.find(where) == [stored_form(rows[i]) for i in expected]


def test_nothing_is_found_where_nothing_is(stored: tuple[Path, list[GalleryRow], np.ndarray]) -> None:
    with open_gallery(stored[0]) as gallery:
        for where in (Where(cameras=("cellar",)), Where(spans=()), Where(cameras=("' OR 1=1 --",))):
            assert gallery.search(features_of(1)[0], 5, where) == gallery.find(where) == []


def test_deletes_the_rows_of_a_filter(tmp_path: Path) -> None:
    rows, features = write_gallery(tmp_path / "gallery")
    with open_gallery(tmp_path / "gallery", MODEL, write=True) as gallery:
        assert gallery.delete(Where(cameras=("gate",))) == 30
        assert gallery.delete(Where(ids=("no/such/1",))) == 0
        with pytest.raises(GalleryError, match="a filter without conditions would delete all"):
            gallery.delete(Where())
        assert [row.camera for row in gallery.find()] == ["o'yard"] * 30
        assert "gate" not in {match.row.camera for match in gallery.search(features[0], 60)}
        gallery.add(rows[:1], features[:1])  # its id is free again
        gallery.compact()
        assert len(gallery) == 31


def test_a_snapshot_is_a_gallery_that_stays(tmp_path: Path) -> None:
    rows, features = write_gallery(tmp_path / "gallery", 20)
    with open_gallery(tmp_path / "gallery", MODEL, write=True) as gallery:
        gallery.snapshot(tmp_path / "before")
        gallery.delete(Where(cameras=("gate",)))
        gallery.add(rows_of(5, "noon"), features_of(5))
        gallery.compact()
        with pytest.raises(
            GalleryError, match=r"before: a snapshot goes .* to a folder that is not there yet"
        ):
            gallery.snapshot(tmp_path / "before")
    with open_gallery(tmp_path / "before", MODEL, write=True) as before:
        assert before.find() == [stored_form(row) for row in rows]
        np.testing.assert_array_equal(before.feature(rows[4].id), features[4])
        before.delete(Where(ids=(rows[1].id,)))
    with open_gallery(tmp_path / "gallery") as gallery:
        assert len(gallery) == 15
    assert sorted(path.name for path in tmp_path.iterdir()) == ["before", "gallery"]


def test_readers_see_what_the_writer_has_added(tmp_path: Path) -> None:
    rows, features = write_gallery(tmp_path / "gallery", 4)
    with (
        open_gallery(tmp_path / "gallery") as reader,
        open_gallery(tmp_path / "gallery", write=True) as writer,
    ):
        writer.add(rows_of(3, "noon"), features_of(3))
        assert len(reader) == len(reader.find()) == 7
        with pytest.raises(
            GalleryError, match=r"is not open for writing; use open_gallery\(..., write=True\)"
        ):
            reader.add(rows, features)


def hold(folder: Path, sender: Connection) -> None:
    with open_gallery(folder, MODEL, write=True):
        sender.send("open")
        time.sleep(60)


@pytest.mark.parametrize("name", ["~/gallery", "memory:", "s3:", "other/../plain"])
def test_rows_and_lock_are_in_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """LanceDB alone would put the first into the home folder, and lose the second, while the lock is beside."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    check_gallery(name, MODEL)
    with open_gallery(name, MODEL, write=True) as gallery:
        gallery.add(rows_of(2), features_of(2))
    home = Path(os.path.expanduser(name)).resolve()
    assert [path.parent for path in tmp_path.rglob("tracklets.lance")] == [home]
    assert {path.name for path in home.iterdir()} == {"tracklets.lance", ".writer.lock"}
    with open_gallery(name) as gallery:
        assert len(gallery) == 2


def test_one_writer_a_gallery(tmp_path: Path) -> None:
    write_gallery(tmp_path / "gallery", 4)
    context = multiprocessing.get_context(warm.METHOD)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=hold, args=(tmp_path / "gallery", sender))
    process.start()
    try:
        assert receiver.recv() == "open"
        with pytest.raises(GalleryError, match="gallery: this gallery is open for writing already"):
            open_gallery(tmp_path / "gallery", MODEL, write=True)
        with open_gallery(tmp_path / "gallery") as reader:  # others may search meanwhile
            assert len(reader) == 4
    finally:
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    with open_gallery(tmp_path / "gallery", MODEL, write=True) as gallery:  # the killed one left no lock
        gallery.add(rows_of(1, "noon"), features_of(1))


def test_a_failed_open_leaves_no_lock(tmp_path: Path) -> None:
    write_gallery(tmp_path / "gallery", 4)
    with pytest.raises(
        GalleryError, match="is of another model"
    ) as caught:  # keeps all that the call held alive
        open_gallery(tmp_path / "gallery", MODEL._replace(fingerprint="model-b"), write=True)
    open_gallery(tmp_path / "gallery", MODEL, write=True).close()
    assert caught.tb is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [("fingerprint", "model-b"), ("width", 9), ("metric", "cosine"), ("actions", ("riding", "walking"))],
)
@pytest.mark.parametrize("write", [False, True])
def test_another_model_is_refused(
    stored: tuple[Path, list[GalleryRow], np.ndarray], field: str, value: object, write: bool
) -> None:
    other = MODEL._replace(**{field: value})
    message = re.escape(
        f"is of another model, {field} {getattr(MODEL, field)} and not {value}; use that model"
    )
    with pytest.raises(GalleryError, match=message):
        open_gallery(stored[0], other, write=write)
    with pytest.raises(GalleryError, match=message):
        check_gallery(stored[0], other)


def test_what_is_checked_beforehand(tmp_path: Path) -> None:
    check_gallery(tmp_path / "new", MODEL)
    with pytest.raises(GalleryError, match="new: expected a gallery, there is none; add"):
        open_gallery(tmp_path / "new")
    write_gallery(tmp_path / "gallery", 4)
    check_gallery(tmp_path / "gallery", MODEL)
    with (
        open_gallery(tmp_path / "gallery", MODEL, write=True) as gallery,
        pytest.raises(GalleryError, match="open for writing already"),
    ):
        check_gallery(tmp_path / "gallery", MODEL)
    assert gallery.model == MODEL
    (tmp_path / "file").write_text("")
    with pytest.raises(GalleryError, match="file: expected a gallery, this is a file"):
        open_gallery(tmp_path / "file")


def test_an_id_comes_once(tmp_path: Path) -> None:
    rows, _ = write_gallery(tmp_path / "gallery", 4)
    with open_gallery(tmp_path / "gallery", MODEL, write=True) as gallery:
        with pytest.raises(GalleryError, match="2 of 3 ids are there already, such as 'morning/gate/2'"):
            gallery.add([*rows_of(1, "noon"), *rows[2:]], features_of(3))
        assert len(gallery) == 4  # all or nothing


def test_an_empty_add_is_nothing(tmp_path: Path) -> None:
    with open_gallery(tmp_path / "gallery", MODEL, write=True) as gallery:
        gallery.add([], np.empty((0, 8), np.float32))
        assert len(gallery) == 0
        assert gallery.find() == gallery.search(features_of(1)[0]) == []
        assert gallery.extent() is None
        with pytest.raises(GalleryError, match="no tracklet has the id 'a'"):
            gallery.feature("a")


def test_a_missing_gallery_is_not_made_by_a_search(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="none: expected a gallery, there is none"):
        open_gallery(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    with pytest.raises(GalleryError, match="expected a gallery, there is none; give a model"):
        open_gallery(tmp_path / "none", write=True)


def test_a_damaged_gallery_is_one_line(tmp_path: Path) -> None:
    write_gallery(tmp_path / "gallery", 4)
    for path in (tmp_path / "gallery").rglob("*.manifest"):
        path.write_bytes(b"damaged")
    with pytest.raises(GalleryError, match="gallery: the gallery cannot be used") as caught:
        open_gallery(tmp_path / "gallery")
    assert "\n" not in str(caught.value)


def test_another_kind_of_store_by_its_uri_alone() -> None:
    with open_gallery("memory://", MODEL, write=True) as gallery:
        gallery.add(rows_of(5), features_of(5))
        assert len(gallery.find(Where(cameras=("gate",)))) == 3
        with pytest.raises(GalleryError, match="a snapshot goes from a gallery in a folder"):
            gallery.snapshot("copy")


def add_for_ever(folder: Path, first: int, sender: Connection) -> None:
    with open_gallery(folder, MODEL, write=True) as gallery:
        sender.send(-1)
        for number in range(first, 10**6):
            gallery.add(rows_of(50, str(number)), features_of(50, number))
            sender.send(number)


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Three kills; tools/kill_gallery.py makes fifty."""
    context = multiprocessing.get_context(warm.METHOD)
    batches = 0
    for pause in (0.05, 0.1, 0.2):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=add_for_ever, args=(tmp_path / "gallery", batches, sender))
        process.start()
        sender.close()
        told = [receiver.recv(), receiver.recv()]
        time.sleep(pause)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        while True:
            try:
                told.append(receiver.recv())
            except EOFError:
                break
        with open_gallery(tmp_path / "gallery") as gallery:
            batches = check_whole(gallery)
        assert batches in (told[-1] + 1, told[-1] + 2)


def test_what_a_killed_writer_left_goes_to_the_disk_with_the_next_add(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been killed before that; the next add stands on its files."""
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.readlink(f"/proc/self/fd/{handle}")))
    write_gallery(tmp_path / "gallery", 5)
    left = {str(path) for path in (tmp_path / "gallery").rglob("*") if path.is_file()}
    with open_gallery(tmp_path / "gallery", write=True) as gallery:
        for number in (1, 2):
            synced.clear()
            gallery.add(rows_of(5, str(number)), features_of(5, number))
            files = {str(path) for path in (tmp_path / "gallery").rglob("*") if path.is_file()}
            assert {path for path in synced if os.path.isfile(path)} == files - (
                left if number == 2 else set()
            )
            left = {path for path in files if not path.endswith(".json")}  # hints are written again


def check_whole(gallery: Gallery) -> int:
    """How many batches there are, each with all its rows and features."""
    count = len(gallery)
    assert count % 50 == 0
    for number in range(count // 50):
        rows = rows_of(50, str(number))
        assert gallery.known([row.id for row in rows]) == {row.id for row in rows}
        np.testing.assert_array_equal(gallery.feature(rows[-1].id), features_of(50, number)[-1])
    return count // 50


def test_other_thresholds_are_no_other_model(tmp_path: Path) -> None:
    """Features are the same whatever is said of them; the gallery keeps the thresholds that it was made with."""
    made = MODEL._replace(thresholds=(0.3, 0.7))
    write_gallery(tmp_path / "g", 5, made)
    with open_gallery(tmp_path / "g", MODEL, write=True) as gallery:
        assert gallery.model == made
        assert gallery.model.likely == {"walking": 0.3, "riding": 0.7}
    assert MODEL.likely == {"walking": 0.5, "riding": 0.5}


def test_each_refusal_names_the_gallery(stored: tuple[Path, list[GalleryRow], np.ndarray]) -> None:
    folder, rows, features = stored
    with open_gallery(folder, write=True) as gallery:
        asked: list[Callable[[], object]] = [
            lambda: gallery.add(rows[:1], features[:1, :7]),
            lambda: gallery.search(features[0, :7]),
            lambda: gallery.search(features[0], where=Where(actions={"ridin": 0.5})),
            lambda: gallery.find(Where(actions={"ridin": 0.5})),
            lambda: gallery.delete(Where(actions={"ridin": 0.5})),
            lambda: gallery.feature("nobody"),
        ]
        for ask in asked:
            with pytest.raises((GalleryError, ConfigError), match=f"^{re.escape(str(folder))}: "):
                ask()


def test_a_row_that_was_never_added_is_one_line(tmp_path: Path) -> None:
    """A table of ours by its columns, written by something else."""
    import lancedb

    write_gallery(tmp_path / "g", 3)
    store = lancedb.connect(str(tmp_path / "g"))
    store.open_table("tracklets").update(where="id LIKE '%0'", values={"start": None})
    with open_gallery(tmp_path / "g") as gallery:
        assert len(gallery.find(Where(cameras=("o'yard",)))) == 1
        for ask in (gallery.find, gallery.extent, lambda: gallery.search(features_of(1)[0])):
            with pytest.raises(
                GalleryError, match=f"^{re.escape(str(gallery.uri))}: .* expected a start"
            ) as caught:
                ask()
            assert "\n" not in str(caught.value)
    store.open_table("tracklets").update(where="id LIKE '%0'", values={"feature": None, "start": START})
    with (
        open_gallery(tmp_path / "g") as gallery,
        pytest.raises(GalleryError, match="expected features of shape"),
    ):
        gallery.feature("morning/gate/0")
