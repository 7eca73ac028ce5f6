"""From a model to a file that still tells people and actions apart, or to none."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from reidar_plugin.data.tracklets import Frames
from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.onnx_export import ExportError, Parity
from reidar_plugin.inference.predictor import Predictor
from reidar_plugin.inference.trained_model import TrainedModel
from reidar_plugin.launch import export as module
from reidar_plugin.launch.export import HALF, INT8, ComparedSet, Figures, calibration_clips, export, judge
from tests.inference.onnx_files import small
from tests.inference.recognised import GREEN, RED, colour_predictor
from tests.versions import TORCH


def model() -> TrainedModel:
    """Named after the colours: walking is red, riding green."""
    trained = small()
    trained.config.reidar.labels.space = "mine"
    trained.config.reidar.labels.names = ["walking", "riding"]
    return trained._replace(card=colour_predictor().card)


def sample(folder: Path, name: str, colour: tuple[int, int, int], pid: int, camid: int, shows: str) -> Any:
    paths = [str(folder / f"{name}-{frame}.png") for frame in range(5)]
    for frame, path in enumerate(paths):
        cv2.imwrite(path, np.full((16, 8, 3), np.array(colour[::-1]) - frame, np.uint8))
    return Frames(paths, name, {shows} if shows else None), pid, camid, 0


@pytest.fixture
def street(tmp_path: Path) -> ComparedSet:
    """Two people; the second is as red as the first in the gallery, so that one query of two finds a stranger first."""
    query = [sample(tmp_path, "q1", RED, 1, 0, "walking"), sample(tmp_path, "q2", GREEN, 2, 0, "riding")]
    gallery = [
        sample(tmp_path, "g1", RED, 1, 1, "walking"),
        sample(tmp_path, "g2", (220, 40, 30), 2, 1, "riding"),
        sample(tmp_path, "g3", (60, 180, 30), 1, 1, ""),
    ]
    return ComparedSet("corridor", SimpleNamespace(train=gallery, query=query, gallery=gallery))


def test_figures_by_hand(street: ComparedSet) -> None:
    """q1: g1 is right, g3 comes last: (1 + 2/3) / 2. q2: g3, then g2: 1/2. Riding is seen in q2, and the least in g2."""
    found = judge(colour_predictor(), street, model(), "colours")
    assert found.protocol == "corridor cross-camera"
    assert found.identities == pytest.approx(100 * ((1 + 2 / 3) / 2 + 1 / 2) / 2)
    assert found.actions == pytest.approx(100.0)
    assert found.speed > 0
    assert found.distance == "euclidean"
    unknown = [(tuple(paths), *rest) for paths, *rest in street.content.query]
    content = SimpleNamespace(query=unknown, gallery=[(tuple(p), *r) for p, *r in street.content.gallery])
    assert judge(colour_predictor(), street._replace(content=content), model(), "colours").actions is None


def test_calibration_clips_are_spread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shades = [sample(tmp_path, str(n), (10 * n + 10, 0, 0), n, 0, "walking") for n in range(9)]
    monkeypatch.setattr(module, "CALIBRATION", 3)
    monkeypatch.setattr(module, "CLIPS", 2)
    batches = list(calibration_clips(shades, colour_predictor().card))
    assert [tuple(each.shape) for each in batches] == [(2, 4, 16, 8, 3), (1, 4, 16, 8, 3)]
    seen = [each[row, :, 0, 0, 0].tolist() for each in batches for row in range(len(each))]
    assert seen == [[10 * n + 10 - frame for frame in range(4)] for n in (0, 4, 8)]


def test_int8_needs_tracklets(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="calibrated on training tracklets: say which with --check-on"):
        export(small(), tmp_path / "a.onnx", INT8)


@pytest.mark.parametrize(("points", "holds"), [(0.4, True), (0.6, False), (float("nan"), False)])
def test_what_differs_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, street: ComparedSet, points: float, holds: bool
) -> None:
    """Actions alone are enough to refuse a file."""
    said = iter(
        [
            Figures("corridor", 50.0, 40.0, 1.0, "cosine"),
            Figures("corridor", 50.0, 40.0 - points, 1.0, "cosine"),
        ]
    )

    def write(trained: TrainedModel, path: Path, finish: Any) -> Parity:
        finish(path, None)
        return Parity(0.0, ())

    monkeypatch.setattr(module, "export_onnx", write)
    monkeypatch.setattr(module, "halve", lambda path: path.write_text("half"))
    monkeypatch.setattr(module, "load_onnx", lambda *_: (colour_predictor()._judge, colour_predictor().card))
    monkeypatch.setattr(module, "judge", lambda *_: next(said))
    monkeypatch.setattr(module.ComparedSet, "open", lambda *_: street)
    if holds:
        done = export(small(), tmp_path / "a.onnx", HALF, Path("corridor"))
        assert done.figures is not None
        assert (tmp_path / "a.onnx").read_text() == "half"
    else:
        with pytest.raises(ExportError, match=r"more than 0.5 points: torch has mAP 50.00, of actions 40.00"):
            export(small(), tmp_path / "a.onnx", HALF, Path("corridor"))


@pytest.mark.slow
@pytest.mark.skipif(TORCH < (2, 6), reason="torch's exporter has what it needs since 2.6")
def test_half_on_a_data_set(mars: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    trained = small(source="0")
    trained.config.reidar.labels.space = "actions3"
    done = export(trained, tmp_path / "half.onnx", HALF, mars / "mars_actions")
    assert done.figures is not None
    of_torch, of_file = done.figures
    assert of_torch.protocol == "MARS usual"
    assert of_torch.agrees(of_file)
    assert of_torch.actions is not None
    assert Predictor.load(tmp_path / "half.onnx").card.model == "small"
