"""A folder knows what its runs have written, and nothing else is touched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError, UnwritableFileError
from reidar_plugin.inference.answer_folder import RECORD, AnswerFolder
from reidar_plugin.io.folder_lock import LOCK


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {RECORD, LOCK}


def run(folder: Path, *names: str, killed: bool = False) -> AnswerFolder:
    with AnswerFolder(folder) as own:
        own.claim(names)
        if not killed:
            own.drop_others(names)
        for name in names[: 1 if killed else None]:
            (folder / name).write_text(name)
    return own


def test_what_a_run_does_not_write_again_goes(tmp_path: Path) -> None:
    run(tmp_path, "a.csv", "mot/gate.txt", "mot/yard.txt", "annotated/gate.mp4")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "annotated/mine.txt").write_text("mine")
    run(tmp_path, "a.parquet", "mot/gate.txt")
    assert files(tmp_path) == {"a.parquet", "mot/gate.txt", "notes.txt", "annotated/mine.txt"}
    run(tmp_path, "b.csv")
    assert not (tmp_path / "mot").exists()


def test_another_video_in_the_place_of_the_first(tmp_path: Path) -> None:
    """Its file goes into a folder of which every file goes."""
    run(tmp_path, "a.csv", "mot/gate.txt", "annotated/gate.mp4")
    run(tmp_path, "a.csv", "mot/yard.txt", "annotated/yard.mp4")
    assert files(tmp_path) == {"a.csv", "mot/yard.txt", "annotated/yard.mp4"}


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with AnswerFolder(tmp_path) as own:
        own.claim(["a.csv"])
        (tmp_path / ".a.csv.1.part").write_text("of a run that goes on")
        asks = (
            "import sys; from pathlib import Path; from reidar_plugin.inference.answer_folder import AnswerFolder; "
            "AnswerFolder(Path(sys.argv[1])).claim(['a.csv'])"
        )
        other = subprocess.run([sys.executable, "-c", asks, tmp_path], capture_output=True, text=True)
        assert "FolderInUseError" in other.stderr
        assert f"process {os.getpid()} on " in other.stderr
        assert other.stderr.rstrip().endswith("or name another folder (OUT)")
        assert (tmp_path / ".a.csv.1.part").exists()
    run(tmp_path, "a.csv")
    assert files(tmp_path) == {"a.csv"}


def test_a_killed_run_leaves_nothing_unknown(tmp_path: Path) -> None:
    run(tmp_path, "a.csv", "b.csv")
    run(tmp_path, "c.csv", "b.csv", killed=True)
    assert files(tmp_path) == {"a.csv", "b.csv", "c.csv"}
    for left in (".b.csv.17.part", ".mine.17.part"):
        (tmp_path / left).write_text("half")
    run(tmp_path, "b.csv", "c.csv")
    assert files(tmp_path) == {"b.csv", "c.csv", ".mine.17.part"}
    (tmp_path / ".mine.17.part").unlink()
    run(tmp_path, "b.csv")
    assert files(tmp_path) == {"b.csv"}


def test_files_of_others_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(ConfigError, match=r"a\.csv is there, and run\.json does not know it"):
        run(tmp_path, "a.csv", "b.csv")
    assert files(tmp_path) == {"a.csv"}


def test_an_id_for_each_folder(tmp_path: Path) -> None:
    first, second = run(tmp_path / "1/out"), run(tmp_path / "2/out")
    assert first.id.startswith("out-")
    assert first.id != second.id
    assert run(tmp_path / "1/out").id == first.id


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"id": "a", "files": ["../a"]}',
        '{"id": "a", "files": ["/a"]}',
        '{"id": "a", "files": ["a\\u0000b"]}',
        '{"id": "a", "files": ["\\ud800"]}',
        '{"id": "a", "files": [""]}',
        '{"id": "a", "files": ["."]}',
    ],
)
def test_records_of_others(tmp_path: Path, text: str) -> None:
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(ConfigError, match=r"run\.json: expected the record of a recognition"):
        AnswerFolder(tmp_path)
    assert (tmp_path / RECORD).read_text() == text
    with pytest.raises(UnwritableFileError, match="choose another folder"):
        AnswerFolder(tmp_path / RECORD)
    assert files(tmp_path) == set()
