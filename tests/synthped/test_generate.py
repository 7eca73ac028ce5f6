"""Sets of SynthPed on disk: read by everybody, the same every time, whole or not there."""

import csv
import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from scipy.io import loadmat

from reidar_plugin.data.lpw import LPWActions
from reidar_plugin.data.mars import MarsActions
from reidar_plugin.data.mat_files import TableError
from reidar_plugin.host import reid
from reidar_plugin.labels.attributes import attribute_space
from reidar_plugin.synthped import PRESETS, make
from reidar_plugin.synthped import drawing as drawing_room
from reidar_plugin.synthped.bar import Bar
from reidar_plugin.synthped.dataset import SynthPed
from reidar_plugin.synthped.generate import read_stamp
from reidar_plugin.synthped.plan import plan_mars
from reidar_plugin.synthped.render import Studio

CHECKOUT = Path(__file__).resolve().parents[2]
INFO = CHECKOUT / "../shared/mars/info"
TABLES = ("info", "published", "truth", "actions.csv", "attributes.csv", "README.md")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("synthped")
    make(root, "tiny", workers=1)
    return root


@pytest.fixture(scope="module")
def mars(root: Path) -> Path:
    return root / "mars"


def digest(home: Path, *parts: str) -> str:
    """Of names and contents of all files in some parts of a set."""
    paths = [
        path
        for part in parts
        for path in ([home / part] if (home / part).is_file() else (home / part).rglob("*"))
    ]
    total = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        total.update(path.relative_to(home).as_posix().encode() + path.read_bytes())
    return total.hexdigest()[:16]


def test_tables_and_labels_are_pinned(mars: Path) -> None:  # the same bytes on every machine
    assert digest(mars, *TABLES) == "72ee3e47badf933d"


def test_pictures_are_pinned() -> None:  # the same pixels on every machine, before they become JPEG
    plan = plan_mars(PRESETS["tiny"], 0)
    studio = Studio(plan)
    total = hashlib.sha256()
    for shot in plan.shots[::9]:
        for picture in studio.pictures(shot, studio.script(shot)):
            total.update(picture.tobytes())
    assert total.hexdigest()[:16] == "add3f070be8dbc96"


def test_the_number_of_workers_does_not_matter(mars: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    other = make(tmp_path, "tiny", workers=2, progress=lambda done, total: calls.append((done, total)))
    assert digest(other, "bbox_train", "bbox_test", *TABLES) == digest(
        mars, "bbox_train", "bbox_test", *TABLES
    )
    frames = len(list(mars.rglob("*.jpg")))
    assert calls[0] == (0, frames)
    assert calls[-1] == (frames, frames)
    assert calls == sorted(calls)


def test_another_seed_is_another_town(mars: Path, tmp_path: Path) -> None:
    other = make(tmp_path, "tiny", seed=1, workers=1)
    assert digest(other, "truth") != digest(mars, "truth")
    assert digest(other, "bbox_train") != digest(mars, "bbox_train")


def test_torchreid_reads_it_as_mars(root: Path, mars: Path) -> None:
    host = reid.data.datasets.init_video_dataset("mars", root=str(root), transform=list, verbose=False)
    counts = [
        (len(part), len({pid for _, pid, *_ in part})) for part in (host.train, host.query, host.gallery)
    ]
    assert counts[0] == (PRESETS["tiny"].tracklets[0], 10)
    assert counts[1] == (20, 10)
    assert sum(sample[1] == 0 for sample in host.gallery) == 44 * 3248 // 8062
    for part in (host.train, host.query, host.gallery):
        for paths, *_ in part:
            assert all(Path(path).is_file() for path in paths)
    listed = {path for part in (host.train, host.query, host.gallery) for paths, *_ in part for path in paths}
    junk = {str(path) for path in (mars / "bbox_test" / "00-1").iterdir()}
    assert listed | junk == {str(path) for path in mars.rglob("*.jpg")}
    assert junk


def test_our_dataset_reads_labels_and_attributes(root: Path) -> None:
    space = attribute_space(("Tops.c", "hair", "pose", "motion"))
    ours = MarsActions(root, attribute_space=space, transform=list, verbose=False)
    assert {len(sample[0].labels) for sample in ours.train} == {1}
    assert len({label for sample in ours.train for label in sample[0].labels}) == 8
    assert {len(sample[0].attributes) for sample in ours.train} == {4}
    assert all(sample[0].labels is None for sample in ours.gallery if sample[1] == 0)


def test_pictures_have_the_size_asked_for(mars: Path, tmp_path: Path) -> None:
    assert {cv2.imread(str(path)).shape for path in (mars / "bbox_train").rglob("*F001.jpg")} == {(64, 32, 3)}
    small = make(tmp_path, "tiny", people=(8, 8), size=(48, 20), workers=1)
    assert cv2.imread(str(next((small / "bbox_test").rglob("*.jpg")))).shape == (48, 20, 3)


def test_lpw_layout(tmp_path: Path) -> None:
    home = make(tmp_path, "tiny", people=(12, 8), layout="lpw", workers=1)
    assert home == tmp_path / "lpw"
    ours = LPWActions(tmp_path, transform=list, verbose=False)
    assert len(ours.query) == 8
    assert ours.num_train_pids == 12
    assert {len(sample[0].labels) for part in (ours.train, ours.query, ours.gallery) for sample in part} == {
        1
    }
    lines = (home / "published" / "test_8_actions.txt").read_text().splitlines()
    assert all((home / line.split()[0]).is_file() for line in lines)


def test_published_labels_say_the_same_as_ours(mars: Path) -> None:
    from reidar_plugin.synthped.actions import ACTIONS

    labels = dict(list(csv.reader((mars / "actions.csv").open()))[1:])
    for split in ("train", "test"):
        lines = [
            line.split() for line in (mars / "published" / f"{split}_8_actions.txt").read_text().splitlines()
        ]
        assert [name for name, _ in lines] == (mars / "info" / f"{split}_name.txt").read_text().split()
        for name, number in lines:
            assert int(number) == (ACTIONS.index(labels[name[:4]]) + 1 if name[:4] in labels else 0)
    assert {"0000", "00-1"}.isdisjoint(labels)


def test_truth_covers_every_frame_once(mars: Path) -> None:
    ends: dict[str, int] = {}
    for row in csv.DictReader((mars / "truth" / "frames.csv").open()):
        assert int(row["first"]) == ends.get(row["tracklet"], 0) + 1
        ends[row["tracklet"]] = int(row["last"])
    frames = Counter(path.name[:11] for path in mars.rglob("*.jpg"))
    assert ends == frames


@pytest.mark.parametrize("name", ["tracks_train_info", "tracks_test_info", "query_IDX"])
def test_tables_have_keys_and_types_of_the_official_ones(mars: Path, name: str) -> None:
    expected = {
        "tracks_train_info": ("track_train_info", np.int32),
        "tracks_test_info": ("track_test_info", np.int32),
    }
    key, kind = expected.get(name, ("query_IDX", np.uint16))
    ours = loadmat(mars / "info" / f"{name}.mat")
    assert ours[key].dtype == kind
    assert (mars / "info" / f"{name}.mat").read_bytes()[:116].rstrip() == b"MATLAB 5.0 MAT-file, SynthPed"
    if INFO.is_dir():
        official = loadmat(INFO / f"{name}.mat")
        assert set(official) == set(ours)
        assert official[key].dtype == ours[key].dtype
        assert official[key].ndim == ours[key].ndim
        assert (
            official[key].shape[-1 if key != "query_IDX" else 0]
            == ours[key].shape[-1 if key != "query_IDX" else 0]
        )


def test_queries_are_counted_from_one(mars: Path) -> None:
    table = loadmat(mars / "info" / "tracks_test_info.mat")["track_test_info"]
    queries = loadmat(mars / "info" / "query_IDX.mat")["query_IDX"][0]
    rows = table[queries - 1]
    assert (rows[:, 2] > 0).all()
    assert len({(pid, camera) for pid, camera in rows[:, 2:].tolist()}) == len(rows)
    assert (table[queries - 2, 2:] != rows[:, 2:]).any()  # counted from 0 they would be others


def test_a_finished_set_is_left_alone(mars: Path, root: Path) -> None:
    before = (mars / "synthped.json").stat().st_mtime_ns
    assert make(root, "tiny") == mars
    assert (mars / "synthped.json").stat().st_mtime_ns == before


def test_an_interrupted_run_goes_on(mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing_room, "_UNIT_FRAMES", 100)

    def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, "tiny", workers=1, progress=interrupt)
    assert not (tmp_path / "mars").exists()  # nobody takes half of it for all of it
    drawn = {path: path.stat().st_mtime_ns for path in (tmp_path / ".mars.part").rglob("*.jpg")}
    assert drawn
    calls: list[int] = []
    home = make(tmp_path, "tiny", workers=1, progress=lambda done, _: calls.append(done))
    assert calls[0] > 100  # what was drawn is not drawn again
    assert digest(home, "bbox_train", "bbox_test", *TABLES) == digest(
        mars, "bbox_train", "bbox_test", *TABLES
    )
    kept = [
        path
        for path, time in drawn.items()
        if (home / path.relative_to(tmp_path / ".mars.part")).stat().st_mtime_ns == time
    ]
    assert len(kept) > len(drawn) / 2
    assert not (tmp_path / ".mars.part").exists()


def test_half_a_set_is_not_finished_with_other_arguments(tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, "tiny", workers=1, progress=interrupt)
    with pytest.raises(ValueError, match=r"\.mars\.part: .*seed 0 \(asked for: 5\).*Delete it"):
        make(tmp_path, "tiny", seed=5, workers=1)


def test_another_set_is_not_overwritten(root: Path) -> None:
    with pytest.raises(ValueError, match=r"people \[10, 10\] \(asked for: \[12, 12\]\); tracklets"):
        make(root, "tiny", people=12)


def test_a_folder_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mars").mkdir()
    (tmp_path / "mars" / "real.txt").write_text("the real MARS")
    with pytest.raises(FileExistsError, match=r"mars: exists and is no SynthPed set"):
        make(tmp_path, "tiny")
    assert [path.name for path in (tmp_path / "mars").iterdir()] == ["real.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"preset": "huge"}, "unknown preset 'huge'; choose one of tiny, laptop, town, mars"),
        ({"layout": "duke"}, "unknown layout 'duke'; choose mars or lpw"),
        ({"shares": "odd"}, "unknown shares 'odd'"),
        ({"people": 1}, "people must be 2 ... 4000 .* got 1"),
        ({"people": (10, 9000)}, r"got \(10, 9000\)"),
        ({"cameras": 7}, "cameras must be 2 ... 6 .* got 7"),
        ({"cameras": 1}, r"cameras must be 2 ... 6 \(a query needs another one.* got 1"),
        ({"size": (8, 128)}, r"size must be .* got \(8, 128\)"),
        ({"layout": "lpw", "cameras": 3}, "layout 'lpw' has 11 cameras"),
        ({"tracklets": (5, 5)}, "tracklets of the train people must be at least .* got 5"),
        ({"workers": 0}, "workers must be at least 1, got 0"),
    ],
    ids=str,
)
def test_bad_arguments(tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(tmp_path, **{"preset": "tiny", **arguments})  # type: ignore[arg-type]
    assert not (tmp_path / "mars").exists()
    assert not (tmp_path / ".mars.part").exists()  # which would stand in the way of the right arguments


def test_two_processes_make_one_set(mars: Path, tmp_path: Path) -> None:
    script = f"from reidar_plugin.synthped import make; make({str(tmp_path)!r}, 'tiny', workers=1)"
    processes = [subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT) for _ in range(2)]
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    assert digest(tmp_path / "mars", "truth", "bbox_test") == digest(mars, "truth", "bbox_test")
    assert not list(tmp_path.glob(".*.part"))


def test_synthped_makes_itself_and_says_so(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from reidar_plugin.synthped import dataset

    asked: list[tuple[Path, str]] = []

    def copy(where: Path, *, folder: str, progress: Bar) -> Path:  # instead of drawing the laptop set
        asked.append((where, folder))
        progress(0, 9)
        progress(5, 9)
        progress(9, 9)
        return Path(shutil.copytree(root / "mars", where / folder))

    monkeypatch.setattr(dataset, "make", copy)
    first = SynthPed(tmp_path, transform=list, verbose=False)
    again = SynthPed(tmp_path, transform=list, verbose=False)
    assert asked == [(tmp_path, "synthped")]
    drawing = f"drawing SynthPed into {tmp_path / 'synthped'}, once: "
    assert capsys.readouterr().err == f"{drawing}0/9 frames\n{drawing}9/9 frames\n"
    assert len(first.train) == len(again.train) == 36
    assert first.train[0][0].labels


def test_stamp(mars: Path, tmp_path: Path) -> None:
    stamp = read_stamp(mars)
    assert stamp is not None
    assert stamp["finished"] is True
    assert stamp["frames"] == len(list(mars.rglob("*.jpg")))
    assert read_stamp(tmp_path) is None


def test_a_live_bar_stays_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar("town: ", live=True)
    for done in (10, 25, 40):
        bar(done, 40)
    lines = capsys.readouterr().err.split("\r")[1:]
    assert [line.partition(" frames")[0] for line in lines] == [
        f"town: [{'#' * marks}{'.' * (30 - marks)}] {done}/40"
        for marks, done in ((7, 10), (18, 25), (30, 40))
    ]
    assert [line.endswith("\n") for line in lines] == [False, False, True]


@pytest.mark.parametrize("folder", ["mars", ".mars.part"])
@pytest.mark.parametrize(
    ("content", "message"),
    [(b'{"seed": ', "not readable as JSON"), (b"\xff", "not readable as JSON"), (b"[1]", r"got \[1\]")],
)
def test_a_damaged_stamp_is_named(tmp_path: Path, folder: str, content: bytes, message: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "synthped.json").write_bytes(content)
    with pytest.raises(
        TableError, match=rf"{re.escape(folder)}/synthped\.json: .*{message}.*; delete .* anew"
    ):
        make(tmp_path, "tiny")


def test_make_tool(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool = _tool("make_synthped")
    assert tool.main(["--root", str(root), "--preset", "tiny", "--progress"]) == 0
    assert capsys.readouterr().out == f"{root / 'mars'}\n"
    assert tool.main(["--root", str(root), "--preset", "tiny", "--seed", "4"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("make_synthped: ")
    assert "seed 0 (asked for: 4)" in said.err
    assert said.err.count("\n") == 1
    with pytest.raises(SystemExit):
        tool.main(["--root", str(root), "--preset", "tiny", "--people", "5", "6", "7"])
    assert "--people takes one number or two (to train on, to test on), got 3" in capsys.readouterr().err


def _tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, CHECKOUT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module
