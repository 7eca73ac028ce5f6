"""A video is worked through once: what is found, what is taken up again, what is refused."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference import recognise
from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.mot_files import write_tracks
from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.inference.recognise import fingerprint_of, recognise_video
from reidar_plugin.inference.tracks import TrackFileError
from reidar_plugin.inference.video import VideoError
from tests.inference.recognised import BLUE, RED, asked, mean_colour, write_street
from tests.inference.street import tracks_of


def test_people_are_found(tmp_path: Path) -> None:
    camera = write_street(tmp_path, "gate", [(RED, 0, 9), (BLUE, 3, 3)])
    found = recognise_video(camera, asked(), tmp_path).findings
    red, blue = found.summaries
    np.testing.assert_allclose(red.feature, mean_colour(RED), atol=0.06)
    np.testing.assert_allclose(blue.feature, mean_colour(BLUE), atol=0.06)
    assert (red.first_frame, red.last_frame, blue.frames) == (0, 9, 1)
    assert red.end == pytest.approx(0.9)
    assert len(found.boxes) == 11


def test_taken_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = write_street(tmp_path, "gate", [(RED, 0, 9)])
    first = recognise_video(camera, asked(), tmp_path)
    read: list[str] = []
    real = recognise.probe_video
    monkeypatch.setattr(
        recognise, "probe_video", lambda path, *how: read.append(str(path)) or real(path, *how)
    )
    again = recognise_video(camera, asked(), tmp_path)
    np.testing.assert_equal(again.findings.summaries[0]._asdict(), first.findings.summaries[0]._asdict())
    assert read == []
    recognise_video(camera, asked()._replace(fingerprint="another"), tmp_path)
    assert camera.tracks is not None
    write_tracks(camera.tracks, tracks_of([(0, 1, 8, 16, 16, 32)]))
    assert recognise_video(camera, asked(), tmp_path).findings.summaries[0].frames == 1
    os.utime(camera.video, (1, 1))
    recognise_video(camera, asked(), tmp_path)
    assert len(read) == 3


def test_another_detector_is_another_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its module's file counts, not only its name; a resumed run does not run it to find out."""
    monkeypatch.chdir(tmp_path)
    camera = Camera("gate", write_street(tmp_path, "gate", [(RED, 0, 19)]).video)
    (tmp_path / "finder_of_red.py").write_text("from tests.inference.test_recognise import red\n")
    question = asked(detector="finder_of_red:red")
    recognise_video(camera, question, tmp_path)
    looked = []
    probe = recognise.probe_video
    monkeypatch.setattr(recognise, "probe_video", lambda path, *how: looked.append(path) or probe(path, *how))
    monkeypatch.delitem(sys.modules, "finder_of_red")
    recognise_video(camera, question, tmp_path)
    assert not looked
    assert "finder_of_red" not in sys.modules
    (tmp_path / "finder_of_red.py").write_text("from tests.inference.test_recognise import nobody as red\n")
    assert recognise_video(camera, question, tmp_path).findings.summaries == []
    assert looked == [camera.video]


def test_another_precision_is_another_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = write_street(tmp_path, "gate", [(RED, 0, 9)])
    recognise_video(camera, asked(), tmp_path)
    looked = []
    probe = recognise.probe_video
    monkeypatch.setattr(recognise, "probe_video", lambda path, *how: looked.append(path) or probe(path, *how))
    recognise_video(camera, asked(), tmp_path)
    assert not looked
    monkeypatch.setattr(Predictor, "precision", "bfloat16")
    recognise_video(camera, asked(), tmp_path)
    assert looked == [camera.video]


def test_a_track_in_broken_frames_alone_is_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Track 2 is in frame 6 only, which ``on_broken: skip`` does not give."""
    camera = write_street(tmp_path, "gate", [(RED, 0, 9), (BLUE, 6, 6)])
    read = recognise.read_video
    monkeypatch.setattr(
        recognise, "read_video", lambda *given: (frame for frame in read(*given) if frame.index != 6)
    )
    with pytest.warns(RuntimeWarning, match="2 of 11 boxes are in frames that could not be read"):
        found = recognise_video(camera, asked(on_broken="skip"), tmp_path).findings
    assert [one.track for one in found.summaries] == [1]
    assert set(found.boxes.track.tolist()) == {1}


def test_detections_are_associated(tmp_path: Path) -> None:
    camera = write_street(tmp_path, "gate", [(RED, 0, 19)])
    assert camera.tracks is not None
    write_tracks(camera.tracks, tracks_of([(frame, -1, 8, 16, 16, 32) for frame in range(20)], score=0.9))
    (one,) = recognise_video(camera, asked(), tmp_path).findings.summaries
    assert one.frames > 15


def test_a_detector(tmp_path: Path) -> None:
    street = write_street(tmp_path, "gate", [(RED, 0, 19)])
    camera = Camera("gate", street.video)
    (one,) = recognise_video(
        camera, asked(detector="tests.inference.test_recognise:red"), tmp_path
    ).findings.summaries
    np.testing.assert_allclose(one.feature, mean_colour(RED), atol=0.06)
    nobody = asked(detector="tests.inference.test_recognise:nobody")
    assert recognise_video(camera, nobody, tmp_path).findings.summaries == []
    with pytest.raises(
        ConfigError, match=r"give one \(--tracks FILE\), or a detector \(--detector MODULE:FUNCTION\)"
    ):
        recognise_video(camera, asked(), tmp_path)


def red(frame: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero((frame[..., 0] > 180) & (frame[..., 1] < 90))
    left, top = columns.min(), rows.min()
    return np.array([[left, top, columns.max() + 1 - left, rows.max() + 1 - top, 0.9]])


def nobody(frame: np.ndarray) -> list[float]:
    return []


def test_what_cannot_be(tmp_path: Path) -> None:
    camera = write_street(tmp_path, "gate", [(RED, 0, 9)])
    assert camera.tracks is not None
    write_tracks(
        camera.tracks, tracks_of([(0, 1, 8, 16, 16, 32), (30, 1, 8, 16, 16, 32), (1, 2, 500, 0, 9, 9)])
    )
    with pytest.raises(
        TrackFileError, match=r"gate\.txt: 1 of 3 boxes are in frames up to 31, the video has 10"
    ):
        recognise_video(camera, asked(), tmp_path)
    found = recognise_video(camera, asked(on_outside="skip"), tmp_path).findings
    assert [one.track for one in found.summaries] == [1]
    camera.video.write_bytes(b"")
    with pytest.raises(VideoError, match=r"gate\.avi: expected a video, got an empty file"):
        recognise_video(camera, asked(), tmp_path)
    camera.video.unlink()
    with pytest.raises(VideoError, match=r"gate\.avi cannot be read: No such file"):
        recognise_video(camera, asked(), tmp_path)


def test_people_half_outside(tmp_path: Path) -> None:
    camera = write_street(tmp_path, "gate", [(RED, 0, 9)])
    assert camera.tracks is not None
    write_tracks(camera.tracks, tracks_of([(0, 1, -8, 16, 32, 32), (1, 1, 80, 40, 40, 40)]))
    found = recognise_video(camera, asked(), tmp_path).findings
    assert found.boxes.box.tolist() == [[0, 16, 24, 32], [80, 40, 16, 24]]


def test_fingerprints(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(b"1")
    b.write_bytes(b"2")
    assert len({fingerprint_of(a), fingerprint_of(b)}) == 2
    b.write_bytes(b"1")
    assert fingerprint_of(a) == fingerprint_of(b)
