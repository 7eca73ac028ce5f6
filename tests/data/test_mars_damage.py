"""Ten thousand damaged files: an error that names the file, or just what an independent reading of the file gives."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reidar_plugin.data import mars
from reidar_plugin.errors import ReidarError
from reidar_plugin.labels.attributes import attribute_space, read_attributes
from reidar_plugin.labels.files import KeyForm, read_labels
from reidar_plugin.labels.spaces import ACTIONS8
from tests.fakes import ACTIONS, write_actions, write_mars

pytestmark = pytest.mark.slow

NAMES = ["train_name.txt", "test_name.txt"]
TABLES = ["tracks_train_info.mat", "tracks_test_info.mat", "query_IDX.mat"]


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """One to five of: a bit flips, a byte changes, some go, come, are copied, or all the rest is lost."""
    data = bytearray(whole)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        place = chance.randrange(len(data) + 1)
        what = chance.randrange(6)
        if what == 0 and place < len(data):
            data[place] ^= 1 << chance.randrange(8)
        elif what == 1 and place < len(data):
            data[place] = chance.choice(b"01239|,/CTF\n\r\0\xff eg")
        elif what == 2:
            del data[place : place + chance.randrange(1, 20)]
        elif what == 3:
            data[place:place] = chance.randbytes(chance.randrange(1, 9))
        elif what == 4 and chance.random() < 0.3:
            del data[place:]
        else:
            other = chance.randrange(len(data) + 1)
            data[place:place] = data[other : other + chance.randrange(1, 30)]
    return bytes(data)


def damages(path: Path, count: int, seed: int) -> Iterator[bytes]:
    """Damage the file ``count`` times, and mend it in the end."""
    whole, chance = path.read_bytes(), random.Random(seed)
    for _ in range(count):
        data = damaged(whole, chance)
        if data != whole:
            path.write_bytes(data)
            mars._read.cache_clear()
            yield data
    path.write_bytes(whole)


def check_message(error: ReidarError, *patterns: str) -> None:
    """One line that begins with, or for tables holds, the place of the fault."""
    assert "\n" not in str(error)
    assert any(re.search(pattern, str(error)) for pattern in patterns), str(error)


def in_files(*names: str) -> list[str]:
    return [rf"{re.escape(name)}(:\d+:|: )" for name in names]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake(tmp_path_factory.mktemp("root"))


def fake(root: Path, packed: bool = True) -> Path:
    return write_mars(root, train_people=3, test_people=3, frames=[5, 1, 3], pictures=False, packed=packed)


@pytest.mark.parametrize("name", TABLES)
def test_tables(home: Path, name: str) -> None:
    whole = mars.read_tracklets(home)
    errors = 0
    for _ in damages(home / "info" / name, 1200, seed=1):
        try:
            assert mars.read_tracklets(home) == whole  # only its header, which says nothing, can have changed
        except ReidarError as error:
            errors += 1
            check_message(error, *in_files(name, *(TABLES if name != "query_IDX.mat" else ())))
    assert errors > 600


@pytest.mark.parametrize("name", TABLES)
def test_tables_without_a_checksum(tmp_path: Path, name: str) -> None:
    """A query can only become another tracklet of its person in its camera; all else is noticed."""
    home = fake(tmp_path, packed=False)
    whole = mars.read_tracklets(home)
    errors = 0
    for _ in damages(home / "info" / name, 1500, seed=5):
        try:
            found = mars.read_tracklets(home)
        except ReidarError as error:
            errors += 1
            check_message(error, *in_files(name, *(TABLES if name != "query_IDX.mat" else ())))
        else:
            assert found.train == whole.train
            assert {*found.query, *found.gallery} == {*whole.query, *whole.gallery}
            assert [(t.pid, t.camid) for t in found.query] == [(t.pid, t.camid) for t in whole.query]
    assert errors > 600


@pytest.mark.parametrize("name", NAMES)
def test_name_lists(home: Path, name: str) -> None:
    def frames() -> list[list[str]]:
        split = mars.read_tracklets(home)
        part = split.train if name.startswith("train") else (*split.query, *split.gallery)
        return [[tracklet.key, *(Path(path).name for path in tracklet.paths)] for tracklet in part]

    names = (home / "info" / name).read_text().splitlines()
    lines = [[names.index(frame) for frame in tracklet] for _, *tracklet in frames()]
    errors = right = 0
    for data in damages(home / "info" / name, 1200, seed=2):
        try:
            found = frames()
        except ReidarError as error:
            errors += 1
            check_message(error, *in_files(name, *TABLES))
        else:
            right += 1
            written = [line.rstrip() for line in data.decode().splitlines()]
            for (key, *tracklet), places in zip(found, lines, strict=True):
                assert tracklet == [written[place] for place in places]
                assert key == tracklet[0].partition("F")[0]
    assert errors > 600
    assert right > 0


def meant(data: bytes) -> dict[str, frozenset[str] | None]:
    """A label file read by one regular expression a line."""
    entries: dict[str, frozenset[str] | None] = {}
    for line in data.removeprefix(b"\xef\xbb\xbf").decode().replace("\r\n", "\n").split("\n")[1:]:
        if line:
            action = "(?:" + "|".join(ACTIONS) + ")"
            match = re.fullmatch(
                rf"(\d{{4}}(?:C[1-9](?:T\d{{4}})?)?),(none|(?:{action}(?:\|{action})*)?)", line
            )
            assert match is not None, line
            labels = match[2].split("|")
            assert len(set(labels)) == len(labels)
            assert match[1] not in entries
            entries[match[1]] = (
                None if not match[2] else frozenset() if match[2] == "none" else frozenset(labels)
            )
    return entries


def test_label_files(tmp_path: Path) -> None:
    rows = [("0001", "walking"), ("0002C1", "riding|trolley"), ("0003", ""), ("0004C2T0011", "none")]
    path = write_actions(tmp_path / "actions.csv", rows)
    keys = KeyForm(r"\d{4}(C[1-9](T\d{4})?)?", "0001")
    errors = right = 0
    for data in damages(path, 3000, seed=3):
        try:
            entries = read_labels(path, ACTIONS8, keys).entries
        except ReidarError as error:
            errors += 1
            check_message(error, rf"^{path}:\d+: ")
        else:
            right += 1
            assert entries == meant(data)
    assert errors > 1000
    assert right > 20


def test_attribute_tables(tmp_path: Path) -> None:
    path = tmp_path / "attributes.csv"
    whole = ["person-id,camera,tracklet,hat,Age", "1,2,58,1,3", "1,5,165,0,1", "12,1,9,0,0"]
    path.write_text("\n".join(whole) + "\n")
    errors = right = 0
    for data in damages(path, 1200, seed=4):
        try:
            entries = read_attributes(path, attribute_space(["Age", "hat"])).entries
        except ReidarError as error:
            errors += 1
            check_message(error, rf"^{path}:\d+: ")
        else:
            right += 1
            text = data.removeprefix(b"\xef\xbb\xbf").decode().replace("\r\n", "\n").rstrip("\n")
            header, *lines = text.split("\n")
            columns = header.split(",")
            assert len(entries) == len(lines)
            for line in lines:
                cells = dict(zip(columns, line.split(","), strict=True))
                key = tuple(int(cells[name]) for name in ("person-id", "camera", "tracklet"))
                assert entries[key] == {f"{name}={cells[name]}" for name in ("Age", "hat")}  # type: ignore[index]
    assert errors > 500
    assert right > 20
