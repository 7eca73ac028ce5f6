"""The command around the exporter: what it prints, and one line where it cannot."""

from pathlib import Path

import pytest

from reidar_plugin.inference import trained_model
from reidar_plugin.inference.onnx_export import Parity
from reidar_plugin.inference.trained_model import TrainedModel
from reidar_plugin.launch import export as launch
from reidar_plugin.launch.export import Exported, Figures
from tests.inference.onnx_files import small
from tests.tools.guarded import guarded
from tools import export

main = guarded(export.main)


def test_what_is_no_model_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), str(tmp_path / "out.onnx")]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"error: {tmp_path} holds no checkpoint")
    assert said.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_settings_are_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "out.onnx", "--settings", "data.height", "224", "data.width"]) == 2
    assert "expected pairs of a key and a value, got data.height 224 data.width" in capsys.readouterr().err


def test_says_what_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def load(path: Path, name: str, settings: dict[str, object]) -> TrainedModel:
        asked.append(settings)
        return small()

    def write(_: TrainedModel, out: Path, reduction: str, dataset: Path | None) -> Exported:
        asked.extend([reduction, dataset])
        out.write_bytes(bytes(3 * 2**20))
        both = (
            Figures("MARS usual", 50.0, None, 9.0, "cosine"),
            Figures("MARS usual", 49.9, 40.0, 20.0, "cosine"),
        )
        return Exported(Parity(2e-6, ((1, 1), (2, 3))), None if dataset is None else both)

    monkeypatch.setattr(trained_model, "load_trained", load)
    monkeypatch.setattr(launch, "export", write)
    out = str(tmp_path / "out.onnx")
    assert main([str(tmp_path), out, "--half", "--settings", "data.height", "224", "model.name", "a"]) == 0
    assert asked == [{"data.height": 224, "model.name": "a"}, "half", None]
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"{out}: small, opset 18, 3.00 MB, half",
        "differs, before it was made smaller, from torch by 2e-06 at clips x frames of 1 x 1, 2 x 3",
        "what that costs in mAP was not measured: --check-on FOLDER/DATASET does",
    ]
    assert main([str(tmp_path), out, "--check-on", "data/mars"]) == 0
    assert asked[-2:] == ["", Path("data/mars")]
    said = capsys.readouterr().out.splitlines()
    assert said[-2:] == [
        "file:  mAP 49.90, of actions 40.00 (MARS usual, cosine), 20.0 tracklets a CPU second",
        "by plain distances, without re-ranking and without actions as evidence, whatever the config says",
    ]
