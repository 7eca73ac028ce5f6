"""tools/recognise.py: what the source is, and what the lines say."""

import warnings
from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.detection import TRACKERS
from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.launch import recognise as launch
from tests.inference.recognised import RED, colour_predictor, write_street
from tests.tools.guarded import guarded
from tools import recognise
from tools.recognise import parser, sources

main = guarded(recognise.main)


def given(*words: str) -> list[object]:
    return list(sources(parser().parse_args(["model", words[0], "out", *words[1:]])))


def test_what_the_source_is(tmp_path: Path) -> None:
    street = write_street(tmp_path, "gate", [(RED, 0, 2)])
    video = str(street.video)
    assert given(video, "--tracks", "t.txt", "--start", "5") == [
        Camera("gate", street.video, Path("t.txt"), 5.0)
    ]
    (tmp_path / "c.yaml").write_text("cameras: [{name: a, video: gate.avi}]")
    assert given(str(tmp_path / "c.yaml")) == [Camera("a", street.video)]
    with pytest.raises(ConfigError, match="leave --tracks and --start out"):
        given(str(tmp_path / "c.yaml"), "--start", "5")
    with pytest.raises(
        ConfigError, match=r"there is no video, cameras\.yaml or folder mrs, and 'mrs' is no video data set"
    ):
        given("mrs")


def test_flags_that_would_be_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gate").mkdir()
    with pytest.raises(ConfigError, match=r"--tracks, --start: for a video; .* is pictures"):
        given(str(tmp_path), "--tracks", "t.txt", "--start", "5")
    with pytest.raises(ConfigError, match="--detector: for a video; mars is pictures"):
        given("mars", "--detector", "a:b")
    assert main(["model", "a.avi", str(tmp_path / "out"), "--false-alarms", "0.1", "--gallery", "g"]) == 2
    assert "give --gallery and --calibration, too" in capsys.readouterr().err


def test_a_warning_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.pth").write_bytes(b"colours")
    monkeypatch.setattr(Predictor, "load", lambda *_, **__: colour_predictor())
    monkeypatch.setattr(
        launch, "recognise", lambda *_: warnings.warn("cut.avi: cut short", RuntimeWarning, stacklevel=2)
    )
    assert main([str(tmp_path / "model.pth"), "cut.avi", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == "warning: cut.avi: cut short\n"


def test_a_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    street = write_street(tmp_path, "gate", [(RED, 0, 2)])
    (tmp_path / "model.pth").write_bytes(b"colours")
    monkeypatch.setattr(Predictor, "load", lambda *_, **__: colour_predictor())
    line = [
        str(tmp_path / "model.pth"),
        str(street.video),
        str(tmp_path / "out"),
        "--tracks",
        str(street.tracks),
    ]
    assert main(line) == 0
    assert "1 tracklets, 1 people; threshold: none was given" in capsys.readouterr().out
    assert (tmp_path / "out/tracklets.csv").read_text().startswith("camera,track,identity,")
    street.video.write_bytes(b"")
    assert main(line) == 2
    assert capsys.readouterr().err == f"error: {street.video}: expected a video, got an empty file\n"


def test_the_trackers_are_all_there_are() -> None:
    [known] = [action.choices for action in parser()._actions if action.dest == "tracker"]
    assert [*known] == [*TRACKERS]
