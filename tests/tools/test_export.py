"""The command around the exporter: what it prints, and one line where it cannot."""

import runpy
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.inference.onnx_export import Parity
from tests.standin import REPO

EXPORT: dict[str, Any] = runpy.run_path(str(REPO / "tools" / "export.py"))


def test_what_is_no_model_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert EXPORT["main"]([str(tmp_path), str(tmp_path / "out.onnx")]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"{tmp_path} holds no checkpoint")
    assert said.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_says_what_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.inference.onnx_files import small

    def write(_: Any, out: Path) -> Parity:
        out.write_bytes(bytes(3 * 2**20))
        return Parity(2e-6, ((1, 1), (2, 3)))

    scope = EXPORT["main"].__globals__
    monkeypatch.setitem(scope, "load_trained", lambda path, model: small())
    monkeypatch.setitem(scope, "export_onnx", write)
    assert EXPORT["main"]([str(tmp_path), str(tmp_path / "out.onnx")]) == 0
    assert (
        "small, opset 18, 3.0 MB; differs from torch by 2e-06 at clips x frames of 1 x 1, 2 x 3"
        in capsys.readouterr().out
    )
