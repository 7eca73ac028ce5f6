"""tools/calibrate.py: what its lines say."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.launch import dataset_tracklets
from tests.inference.recognised import colour_predictor
from tests.tools.guarded import guarded
from tools import calibrate

main = guarded(calibrate.main)


def test_what_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twelve people in two cameras are 24 strangers: 5 % can be told, 1 % cannot."""
    tracklets = []
    for person in range(12):
        for camera in (0, 1):
            path = str(tmp_path / f"{person}-{camera}.png")
            cv2.imwrite(path, np.full((16, 8, 3), (20 * person, 240 - 20 * person, 5 * camera), np.uint8))
            tracklets.append(([path], person, camera))
    (tmp_path / "model.pth").write_bytes(b"colours")
    monkeypatch.setattr(Predictor, "load", lambda *_, **__: colour_predictor())
    monkeypatch.setattr(dataset_tracklets, "labelled_tracklets", lambda *_: tracklets)
    out = tmp_path / "calibration.json"
    assert main([str(tmp_path / "model.pth"), "corridor", str(out)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{out}: threshold 0.00")
    assert first.endswith("24 tracklets of 12 people")
    assert second.endswith("at a rate of false alarms: 100.0% at 5%, 100.0% at 10%")
    assert main([str(tmp_path / "none.pth"), "corridor", str(out)]) == 2
    assert capsys.readouterr().err.startswith("error: no file of a model")
