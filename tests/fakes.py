"""Writers of tiny data sets in the real layouts and file names, with a few pixels of one colour a person.

Nothing of a real data set is in here. ``write_real_mars`` takes the official tables from where the caller
has them.
"""

import csv
import json
import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count, product
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import loadmat, savemat

__all__ = [
    "ACTIONS",
    "write_actions",
    "write_dukemtmcvidreid",
    "write_ilidsvid",
    "write_lpw",
    "write_mars",
    "write_picture",
    "write_prid2011",
    "write_real_mars",
]

#: The eight actions, spelt here once more so that a slip in the package shows.
ACTIONS = (
    "walking",
    "riding",
    "item_one_hand",
    "item_both_hands",
    "holding_hands",
    "phone_to_ear",
    "phone_to_face",
    "trolley",
)


def write_picture(path: Path, colour: int, size: tuple[int, int] = (32, 16), texture: int = 0) -> None:
    """A picture of ``size`` (height, width) in one of many colours, with a little of one of many textures."""
    base = np.random.default_rng(colour).integers(40, 216, size=(1, 1, 3))
    pixels = base + np.random.default_rng([colour, texture]).integers(-20, 21, size=(*size, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)


def write_actions(path: Path, rows: Iterable[tuple[str, str]]) -> Path:
    """Our label file, of (key, labels joined by ``|``)."""
    lines = ["tracklet,labels", *(f"{key},{labels}" for key, labels in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_mars(
    root: Path,
    *,
    folder: str = "mars",
    train_people: int = 4,
    test_people: int = 3,
    cameras: int = 2,
    tracklets: int = 2,
    frames: int | Sequence[int] = 5,
    distractors: int = 2,
    junk: int = 1,
    size: tuple[int, int] = (32, 16),
    pictures: bool = True,
    actions: bool = True,
    packed: bool = True,
) -> Path:
    """The layout of MARS under ``root/folder``: name lists, three tables, pictures, and our ``actions.csv``.

    People are numbered 2, 4, 6, ... in training and 1, 3, 5, ... at test. Each has ``tracklets`` tracklets
    in each camera, of ``frames`` frames (a sequence is gone round); the first one of each test person in
    each camera is a query. Person number n does the (n mod 8)-th action in all tracklets. Tables are ``packed``
    by zlib as the published ones are, or not, as SynthPed's are.

    Returns:
        The folder of the data set.
    """
    home = root / folder
    lengths = [frames] if isinstance(frames, int) else list(frames)
    train = [2 * n + 2 for n in range(train_people)]
    test = [-1] * junk + [0] * distractors + [2 * n + 1 for n in range(test_people)]
    _write_split(home, "train", train, cameras, tracklets, lengths, size if pictures else None, packed)
    rows = _write_split(home, "test", test, cameras, tracklets, lengths, size if pictures else None, packed)
    query = [row for row, (_, _, pid, _, number) in enumerate(rows, start=1) if pid > 0 and number == 1]
    savemat(home / "info/query_IDX.mat", {"query_IDX": np.array([query], np.uint16)}, do_compression=packed)
    if actions:
        people = sorted(pid for pid in {*train, *test} if pid > 0)
        write_actions(home / "actions.csv", [(f"{pid:04d}", ACTIONS[pid % len(ACTIONS)]) for pid in people])
    return home


def _write_split(
    home: Path,
    split: str,
    people: Sequence[int],
    cameras: int,
    tracklets: int,
    lengths: Sequence[int],
    size: tuple[int, int] | None,
    packed: bool,
) -> list[tuple[int, int, int, int, int]]:
    """Write one half; return its rows (start, end, pid, camera, number of the tracklet)."""
    rows: list[tuple[int, int, int, int, int]] = []
    names: list[str] = []
    numbers: dict[tuple[int, int], Iterable[int]] = defaultdict(lambda: count(1))
    for pid in people:
        # a distractor and a piece of junk is one tracklet in one camera
        for camera, _ in product(range(1, cameras + 1), range(tracklets)) if pid > 0 else [(1, 0)]:
            number = next(numbers[pid, camera])  # type: ignore[call-overload]
            length = lengths[len(rows) % len(lengths)]
            person = "00-1" if pid == -1 else f"{pid:04d}"
            rows.append((len(names) + 1, len(names) + length, pid, camera, number))
            for frame in range(1, length + 1):
                names.append(f"{person}C{camera}T{number:04d}F{frame:03d}.jpg")
                if size is not None:
                    write_picture(home / f"bbox_{split}" / person / names[-1], pid + 1, size, len(names))
    _write_info(home, split, names, [row[:4] for row in rows], packed)
    return rows


def _write_info(
    home: Path, split: str, names: Sequence[str], rows: Sequence[Sequence[int]], packed: bool
) -> None:
    info = home / "info"
    info.mkdir(parents=True, exist_ok=True)
    (home / f"bbox_{split}").mkdir(exist_ok=True)
    (info / f"{split}_name.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    table = np.array(rows, dtype=np.int32).reshape(-1, 4)
    savemat(info / f"tracks_{split}_info.mat", {f"track_{split}_info": table}, do_compression=packed)


def write_real_mars(root: Path, shared: Path) -> Path:
    """MARS at its real scale, without pictures: the official tables of ``shared`` and names of the real form.

    The numbers of tracklets are those of the published attributes, so that these can be joined.
    """
    home = root / "mars"
    (home / "info").mkdir(parents=True)
    numbers = defaultdict(list)
    with open(shared / "mars_attributes.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            numbers[int(row["person-id"]), int(row["camera"])].append(int(row["tracklet"]))
    for split in ("train", "test"):
        taken: dict[tuple[int, int], int] = defaultdict(int)
        table = loadmat(shared / f"info/tracks_{split}_info.mat")[f"track_{split}_info"]
        names = []
        for start, end, pid, camera in table.tolist():
            known = sorted(numbers.get((pid, camera), range(1, 10**4)))
            number = known[taken[pid, camera]]
            taken[pid, camera] += 1
            key = f"{'00-1' if pid == -1 else f'{pid:04d}'}C{camera}T{number:04d}"
            names += [f"{key}F{frame:03d}.jpg" for frame in range(1, end - start + 2)]
        (home / f"info/{split}_name.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
        (home / f"bbox_{split}").mkdir()
        shutil.copyfile(shared / f"info/tracks_{split}_info.mat", home / f"info/tracks_{split}_info.mat")
    shutil.copyfile(shared / "info/query_IDX.mat", home / "info/query_IDX.mat")
    return home


def write_lpw(
    root: Path,
    *,
    people: tuple[int, int, int] = (3, 3, 2),
    frames: int = 3,
    sub_folder: bool = False,
    size: tuple[int, int] = (32, 16),
    pictures: bool = True,
    actions: bool = True,
) -> Path:
    """The layout of LPW under ``root/lpw``: ``people`` in scenes 1, 2 and 3, each in every view of the scene.

    Without ``pictures`` the files are there but empty.
    """
    home = root / "lpw"
    pictures_at = home / "pep_256x128" / ("data_slim" if sub_folder else "")
    rows = []
    for scene, views in ((1, 3), (2, 4), (3, 4)):
        for view, person in product(range(1, views + 1), range(1, people[scene - 1] + 1)):
            key = f"scen{scene}/view{view}/{person}"
            rows.append((key, ACTIONS[(person + view) % len(ACTIONS)]))
            for frame in range(1, frames + 1):
                path = pictures_at / key / f"{frame}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                write_picture(path, 100 * scene + person, size) if pictures else path.touch()
    if actions:
        write_actions(home / "actions.csv", rows)
    return home


def write_ilidsvid(root: Path, *, people: int = 4, frames: int = 3) -> Path:
    """The layout of iLIDS-VID as the host reads it, with one split: the first half trains."""
    home = root / "ilids-vid"
    (home / "train-test people splits").mkdir(parents=True)
    names = [f"person{n:03d}" for n in range(1, people + 1)]
    for person, camera, frame in product(range(people), (1, 2), range(1, frames + 1)):
        folder = home / f"i-LIDS-VID/sequences/cam{camera}" / names[person]
        write_picture(folder / f"cam{camera}_{names[person]}_{frame:05d}.png", person)
    split = {"train": names[: people // 2], "test": names[people // 2 :]}
    (home / "splits.json").write_text(json.dumps([split]), encoding="utf-8")
    return home


def write_prid2011(root: Path, *, people: int = 4, frames: int = 3) -> Path:
    """The layout of PRID2011 as the host reads it, with one split: the first half trains."""
    home = root / "prid2011"
    names = [f"person_{n:04d}" for n in range(1, people + 1)]
    for person, camera, frame in product(range(people), "ab", range(1, frames + 1)):
        folder = home / f"prid_2011/multi_shot/cam_{camera}" / names[person]
        write_picture(folder / f"{frame:04d}.png", person)
    split = {"train": names[: people // 2], "test": names[people // 2 :]}
    (home / "splits_prid2011.json").write_text(json.dumps([split]), encoding="utf-8")
    return home


def write_dukemtmcvidreid(root: Path, *, people: int = 4, frames: int = 3) -> Path:
    """The layout of DukeMTMC-VideoReID as the host reads it: the first half of the people trains."""
    home = root / "dukemtmc-vidreid/DukeMTMC-VideoReID"
    for person, camera, frame in product(range(1, people + 1), (1, 2), range(1, frames + 1)):
        part = "train" if person <= people // 2 else "query" if camera == 1 else "gallery"
        folder = home / part / f"{person:04d}" / f"{camera:04d}"
        write_picture(folder / f"{person:04d}_C{camera}_F{frame:04d}_X{frame * 8:05d}.jpg", person)
    return root / "dukemtmc-vidreid"
