"""Nothing is noted of a run with ONNX outside the folders that are named, and nothing is sent."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.standin import REPO

pytest.importorskip("onnxruntime")

LOADED = """
from reidar_plugin.inference.onnx_runtime import load_onnxruntime
print(load_onnxruntime().__name__)
"""


def test_nothing_is_written_into_the_home_folder(tmp_path: Path) -> None:
    names = ("XDG_CACHE_HOME", "CI", "ORT_DISABLE_TELEMETRY")
    env = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=REPO,
        env=env | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("onnxruntime\n", 0), done.stderr
    assert list(tmp_path.rglob("*")) == []


def imports(file: Path) -> bool:
    """Whether its code imports onnxruntime."""
    found: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return any(name.partition(".")[0] == "onnxruntime" for name in found)


def test_nobody_else_imports_it_first() -> None:
    """Where its parts are asked for, it has been loaded in silence."""
    files = [*(REPO / "reidar_plugin").rglob("*.py"), *(REPO / "tools").rglob("*.py")]
    asking = [file for file in files if imports(file) and file.name != "onnx_runtime.py"]
    assert asking
    for file in asking:
        text = file.read_text(encoding="utf-8")
        assert text.index("load_onnxruntime()") < text.index("from onnxruntime"), file
        assert "import onnxruntime\n" not in text, file
