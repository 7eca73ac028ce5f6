"""Sets of SynthPed on disk: the same every time, whole or not there, and never over somebody else's files."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from reidar_plugin.data.mat_files import TableError
from reidar_plugin.synthped import make
from reidar_plugin.synthped.stamp import read_stamp
from tests.synthped.digests import TABLES, digest

CHECKOUT = Path(__file__).resolve().parents[2]


def test_tables_and_labels_are_pinned(mars: Path) -> None:  # the same bytes on every machine
    assert digest(mars, *TABLES) == "72ee3e47badf933d"


def test_another_seed_is_another_town(mars: Path, tmp_path: Path) -> None:
    other = make(tmp_path, "tiny", seed=1, workers=1)
    assert digest(other, "truth") != digest(mars, "truth")
    assert digest(other, "bbox_train") != digest(mars, "bbox_train")


def test_a_finished_set_is_left_alone(mars: Path, root: Path) -> None:
    before = (mars / "synthped.json").stat().st_mtime_ns
    assert make(root, "tiny") == mars
    assert (mars / "synthped.json").stat().st_mtime_ns == before


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
        ({"preset": "huge"}, "unknown preset 'huge'; choose one of tiny, laptop, town, city, mars"),
        ({"layout": "duke"}, "unknown layout 'duke'; choose mars or lpw"),
        ({"shares": "odd"}, "unknown shares 'odd'"),
        ({"people": 1}, "people must be 2 ... 4000 .* got 1"),
        ({"people": (10, 9000)}, r"got \(10, 9000\)"),
        ({"cameras": 7}, "cameras must be 2 ... 6 .* got 7"),
        ({"cameras": 1}, r"cameras must be 2 ... 6 \(a query needs another one.* got 1"),
        ({"size": (8, 128)}, r"size must be .* got \(8, 128\)"),
        ({"layout": "lpw", "cameras": 3}, "layout 'lpw' has 11 cameras"),
        ({"tracklets": (5, 5)}, "tracklets of the train people must be at least .* got 5"),
        ({"tracklets": (10**21, 40)}, r"tracklets must be 1 ... 1,000,000 .* got \(10+, 40\)"),
        ({"tracklets": (40, -1)}, "tracklets must be 1 ... 1,000,000"),
        ({"folder": "../evil"}, "folder: expected the name of a folder in .* got '../evil'"),
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


def test_stamp(mars: Path, tmp_path: Path) -> None:
    stamp = read_stamp(mars)
    assert stamp is not None
    assert stamp["finished"] is True
    assert stamp["frames"] == len(list(mars.rglob("*.jpg")))
    assert read_stamp(tmp_path) is None


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


def test_importing_is_light_and_the_old_path_works() -> None:
    code = (
        "import sys; from reidar_plugin.synthped import PRESETS, make; "
        "assert not {'torch', 'torchreid', 'reidar_plugin.synthped.dataset'} & set(sys.modules); "
        "from reidar_plugin.data import synthped; assert (synthped.make, synthped.PRESETS) == (make, PRESETS)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=True)
