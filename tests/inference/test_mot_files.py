from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.inference.mot_files import read_tracks, write_tracks
from reidar_plugin.inference.tracks import TrackFileError
from tests.inference.street import tracks_of

TRACKS = "2,7,10.5,20,30,40,0.9,-1,-1,-1\n1,7,10,20,30,40,0.8,-1,-1,-1\n1,3,50,60,10,20,1,-1,-1,-1\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "tracks.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_the_published_form(tmp_path: Path) -> None:
    tracks = read_tracks(write(tmp_path, TRACKS))
    assert tracks.frame.tolist() == [0, 0, 1]  # in memory from 0, in order of frame, then track
    assert tracks.track.tolist() == [3, 7, 7]
    assert tracks.box.tolist() == [[50, 60, 10, 20], [10, 20, 30, 40], [10.5, 20, 30, 40]]
    assert tracks.score.tolist() == pytest.approx([1, 0.8, 0.9])
    assert tracks.ids.tolist() == [3, 7]
    assert not tracks.are_detections
    assert tracks.category is None


@pytest.mark.parametrize("columns", [7, 8, 10])
def test_reads_fewer_columns_blank_lines_and_spaces(tmp_path: Path, columns: int) -> None:
    line = ", ".join(["1", "-1", "10", "20", "30", "40", "0.5", "-1", "-1", "-1"][:columns])
    tracks = read_tracks(write(tmp_path, f"{line}\n\n{line}\r\n\n"))
    assert len(tracks) == 2  # two detections of a frame may be the same box
    assert tracks.are_detections


def test_reads_ground_truth(tmp_path: Path) -> None:
    text = "1,1,0,0,5,5,1,1,0.5\n1,2,0,0,5,5,0,1,1\n1,3,0,0,5,5,1,8,1\n"
    tracks = read_tracks(write(tmp_path, text))
    assert tracks.category is not None
    assert tracks.visibility is not None
    assert tracks.category.tolist() == [1, 1, 8]
    assert tracks.visibility.tolist() == [0.5, 1, 1]
    assert tracks.people().track.tolist() == [1]  # 2 does not count, 3 is no pedestrian


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2,7,nan,20,30,40,0.8,-1,-1,-1", r"tracks.txt:4: expected finite numbers, got 2,7,nan"),
        ("2,7,10,inf,30,40,0.8,-1,-1,-1", r":4: expected finite numbers"),
        ("2,8,10,20,-30,40,0.8,-1,-1,-1", r":4: expected a width and a height above 0, got 2,8,10,20,-30"),
        ("2,8,10,20,30,0,0.8,-1,-1,-1", r":4: expected a width and a height above 0"),
        ("2,8,ten,20,30,40,0.8,-1,-1,-1", r":4: expected numbers, got 'ten'"),
        ("2,8,10,20,30,,0.8,-1,-1,-1", r":4: expected numbers, got ''"),
        ("0,8,10,20,30,40,0.8,-1,-1,-1", r":4: expected a frame that counts from 1, got 0,8"),
        ("1e300,8,10,20,30,40,0.8,-1,-1,-1", r":4: expected a frame that counts from 1"),
        ("1.5,8,10,20,30,40,0.8,-1,-1,-1", r":4: expected whole numbers for frame and id, got 1.5"),
        ("2,-2,10,20,30,40,0.8,-1,-1,-1", r":4: expected an id >= 0, or -1 for a detection"),
        ("2,-1,10,20,30,40,0.8,-1,-1,-1", r":4: expected tracks as before, got id -1"),
        ("1,7,1,2,3,4,0.8,-1,-1,-1", r":4: id 7 has two boxes in frame 1; expected one"),
        ("2,8,10,20,30,40", r":4: expected 10 columns as before, got 6"),
        ("frame,id,left,top,width,height,score,x,y,z", r":4: expected numbers, got 'frame'"),
    ],
)
def test_names_the_line(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(TrackFileError, match=message) as caught:
        read_tracks(write(tmp_path, TRACKS + line + "\n1,9,10,20,30,40,0.8,-1,-1,-1\n"))
    assert "\n" not in str(caught.value)


def test_counts_blank_lines_and_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reidar_plugin.inference.mot_files._BLOCK", 2)
    with pytest.raises(TrackFileError, match=r":6: expected finite numbers"):
        read_tracks(write(tmp_path, TRACKS + "\n\n2,8,nan,1,1,1,1,-1,-1,-1\n"))
    with pytest.raises(TrackFileError, match=r":5: expected 10 columns as before, got 7"):
        read_tracks(write(tmp_path, TRACKS + "2,8,1,1,1,1,1,-1,-1,-1\n3,8,1,1,1,1,1\n"))
    assert len(read_tracks(write(tmp_path, TRACKS))) == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfe\x00\x01" * 9, "bytes that are no text"),
        (b"1,2,3,4,5,6\n", ":1: expected 7 to 10 columns, got 6"),
        (b"1 2 3 4 5 6 7\n", ":1: expected numbers, got '1 2 3 4 5 6 7'"),
    ],
)
def test_refuses_other_files(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "tracks.txt"
    path.write_bytes(data)
    with pytest.raises(TrackFileError, match=message):
        read_tracks(path)


@pytest.mark.parametrize("data", [b"", b"\n \n"])
def test_an_empty_file_has_nobody(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "tracks.txt"
    path.write_bytes(data)
    tracks = read_tracks(path)
    assert (len(tracks), tracks.box.shape, len(tracks.ids)) == (0, (0, 4), 0)
    assert not tracks.are_detections


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TrackFileError, match=r"none.txt cannot be read: No such file"):
        read_tracks(tmp_path / "none.txt")


@pytest.mark.parametrize(
    "text", [TRACKS, "1,1,0.125,0,5,5,1,1,0.5\n2,2,0,0,5,5,0,7,1\n", "3,-1,1,2,3,4,0.25\n"]
)
def test_writes_what_it_reads(tmp_path: Path, text: str) -> None:
    tracks = read_tracks(write(tmp_path, text))
    write_tracks(tmp_path / "out.txt", tracks)
    again = read_tracks(tmp_path / "out.txt")
    for name in ("frame", "track", "box", "score", "category", "visibility"):
        np.testing.assert_array_equal(getattr(again, name), getattr(tracks, name), err_msg=name)
    assert [path.name for path in tmp_path.glob("*out*")] == ["out.txt"]
    assert (
        (tmp_path / "out.txt")
        .read_text(encoding="utf-8")
        .startswith(f"{tracks.frame[0] + 1},{tracks.track[0]},")
    )


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TrackFileError, match="cannot be written: No such file"):
        write_tracks(tmp_path / "none" / "out.txt", tracks_of([(0, 1, 0, 0, 5, 5)]))
