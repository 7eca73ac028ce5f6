"""From videos to answers: two cameras, one person in both; killed and started again, the same."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.calibration import Calibration, CalibrationError
from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.gallery import GalleryError
from reidar_plugin.inference.picture_folders import PictureTracklet
from reidar_plugin.io.folder_lock import LOCK
from reidar_plugin.launch import recognise as module
from reidar_plugin.launch.recognise import Answer, Judgement, recognise
from tests.inference.recognised import BLUE, GREEN, RED, asked, write_street

NAMES = ("tracklets.csv", "tracklets.jsonl", "features.npy", "mot/gate.txt", "mot/yard.txt")


CALIBRATION = Calibration(
    model="colours",
    cut="consecutive clips of 4 frames",
    width=3,
    metric="euclidean",
    threshold=0.05,
    chosen_by="f1",
    precision=1.0,
    recall=1.0,
    slope=10.0,
    offset=1.0,
    people=9,
    tracklets=9,
    same_pairs=9,
    other_pairs=9,
    strangers=(0.5,),
    known=(0.01,),
)


def street(folder: Path) -> list[Camera]:
    gate = write_street(folder, "gate", [(RED, 0, 9), (BLUE, 0, 4)])
    yard = write_street(folder, "yard", [(GREEN, 2, 9), (RED, 0, 3)])
    return [gate, Camera(**{**vars(yard), "start": 20.0})]


def test_one_person_in_two_cameras(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    recognise(street(tmp_path), asked(), Judgement.choose(None, CALIBRATION, "c.json"), Answer(out, "Street"))
    rows = [json.loads(line) for line in (out / "tracklets.jsonl").read_text().splitlines()]
    assert [(row["camera"], row["track"], row["identity"]) for row in rows] == [
        ("gate", 1, 1),
        ("gate", 2, 2),
        ("yard", 1, 3),
        ("yard", 2, 1),
    ]
    assert {line.split(",")[1] for line in (out / "mot/yard.txt").read_text().splitlines()} == {"1", "3"}
    assert "4 tracklets, 3 people; threshold: 0.05, calibrated in c.json" in capsys.readouterr().out
    assert "0.05, calibrated in c.json" in (out / "report.html").read_text()


def test_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cameras, judgement = street(tmp_path), Judgement.choose(0.05, None)
    recognise(cameras, asked(), judgement, Answer(tmp_path / "whole", "Street"))
    real = module.recognise_video

    def killed(camera: Camera, *rest: object) -> object:
        if camera.name == "yard":
            raise KeyboardInterrupt
        return real(camera, *rest)

    monkeypatch.setattr(module, "recognise_video", killed)
    with pytest.raises(KeyboardInterrupt):
        recognise(cameras, asked(), judgement, Answer(tmp_path / "parts", "Street"))
    monkeypatch.setattr(module, "recognise_video", real)
    assert {path.name for path in (tmp_path / "parts").rglob("*.*")} == {"gate.npz", "run.json", LOCK}
    recognise(cameras, asked(), judgement, Answer(tmp_path / "parts", "Street"))
    for name in (*NAMES, "report.html"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes(), name


def test_thresholds() -> None:
    assert Judgement.choose(0.3, CALIBRATION).threshold == 0.3
    assert (
        Judgement.choose(None, None).words
        == "none was given, so no tracklets are joined and each is a person of its own"
    )
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="threshold: expected a distance"):
            Judgement.choose(wrong, None)


def test_calibrations_of_others_are_refused(tmp_path: Path) -> None:
    for change, message in (
        ({"model": "another"}, "for model another"),
        ({"metric": "cosine"}, "of cosine distances"),
        ({"cut": "consecutive clips of 4 frames, at most 2"}, "at most 2, got consecutive clips of 4 frames"),
    ):
        judgement = Judgement.choose(None, replace(CALIBRATION, **change))
        with pytest.raises((CalibrationError, ConfigError), match=message):
            recognise(street(tmp_path), asked(), judgement, Answer(tmp_path / "out", "a"))


def test_what_needs_more(tmp_path: Path) -> None:
    none = Judgement.choose(None, None)
    with pytest.raises(ConfigError, match="a gallery needs to know when"):
        recognise(street(tmp_path), asked(), none, Answer(tmp_path / "out", "a", gallery="b"))
    assert not (tmp_path / "out").exists()
    pictures: list[PictureTracklet] = []
    assert recognise(pictures, asked(), none, Answer(tmp_path / "out", "Nobody")) == []
    assert "Nobody was seen" in (tmp_path / "out/report.html").read_text()


def test_what_another_run_wrote_goes(tmp_path: Path) -> None:
    cameras, judgement, out = street(tmp_path), Judgement.choose(0.05, None), tmp_path / "out"
    recognise(cameras, asked(), judgement, Answer(out, "a", annotate=True))
    (out / "mot/notes.txt").write_text("mine")
    recognise(cameras[:1], asked(), judgement, Answer(out, "a", table="parquet"))
    left = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    found = {"found/gate.npz", "found/yard.npz"}  # to go on from
    tables = {"tracklets.parquet", "tracklets.jsonl", "features.npy", "report.html", "mot/gate.txt"}
    assert left == {*found, *tables, "mot/notes.txt", "run.json", LOCK}


def test_whom_the_gallery_knows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Red was in the gallery before, of another run in a folder of the same name; green and blue were not."""
    pytest.importorskip("lancedb")
    calibration = replace(CALIBRATION, strangers=tuple(0.1 * n for n in range(1, 20)))
    uri, judgement = str(tmp_path / "people"), Judgement.choose(None, calibration)
    red, *_ = street(tmp_path)
    red = replace(write_street(tmp_path, "red", [(RED, 0, 9)]), start=1e9, dated=True)
    recognise([red], asked(), judgement, Answer(tmp_path / "1/out", "a", gallery=uri, false_alarms=0.1))
    cameras = [replace(camera, start=1e9 + 3600, dated=True) for camera in street(tmp_path)]
    for _ in range(2):  # its own tracklets are no answer when it is asked again
        recognise(cameras, asked(), judgement, Answer(tmp_path / "2/out", "a", gallery=uri, false_alarms=0.1))
        text = capsys.readouterr().out
        assert "1 of 3 people have a tracklet that it knows; known up to 0.2 (euclidean)" in text
        rows = list(csv.DictReader((tmp_path / "2/out/known.csv").open()))
        who = [(row["camera"], row["track"], row["known_as"].rpartition("/")[2]) for row in rows]
        assert who == [("gate", "1", "1"), ("gate", "2", ""), ("yard", "1", ""), ("yard", "2", "1")]
    assert "0 tracklets added" in text
    with pytest.raises(CalibrationError, match=r"a rate of 0\.01 false alarms: expected one from 0\.05"):
        recognise(cameras, asked(), judgement, Answer(tmp_path / "3", "a", gallery=uri, false_alarms=0.01))
    assert not (tmp_path / "3").exists()


def test_a_gallery_that_will_not_do_is_told_before_answers_are_replaced(tmp_path: Path) -> None:
    pytest.importorskip("lancedb")
    cameras = [replace(camera, start=1e9, dated=True) for camera in street(tmp_path)]
    answer = Answer(tmp_path / "out", "first", gallery=str(tmp_path / "people"))
    recognise(cameras, asked(), Judgement.choose(0.05, None), answer)
    before = (tmp_path / "out/report.html").read_bytes()
    with pytest.raises(GalleryError, match="of an earlier run in this folder, with another identity"):
        recognise(cameras, asked(), Judgement.choose(None, None), replace(answer, title="second"))
    assert (tmp_path / "out/report.html").read_bytes() == before
    other = asked()._replace(fingerprint="of another one")
    with pytest.raises(GalleryError, match="people is of another model, fingerprint"):
        recognise(cameras, other, Judgement.choose(0.05, None), replace(answer, folder=tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_pictures_cannot_be_annotated(tmp_path: Path) -> None:
    pictures = [PictureTracklet("gate", "1", ["a.jpg"])]
    with pytest.raises(ConfigError, match="leave --annotate out"):
        recognise(
            pictures, asked(), Judgement.choose(None, None), Answer(tmp_path / "out", "a", annotate=True)
        )
    assert not (tmp_path / "out").exists()


def test_annotated(tmp_path: Path) -> None:
    recognise(
        street(tmp_path), asked(), Judgement.choose(0.05, None), Answer(tmp_path / "out", "a", annotate=True)
    )
    assert sorted(path.name for path in (tmp_path / "out/annotated").iterdir()) == ["gate.mp4", "yard.mp4"]
