"""What several files of this folder read and is slow to make."""

import os
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from reidar_plugin.inference.onnx_export import export_onnx
from reidar_plugin.inference.trained_model import TrainedModel
from tests.inference.onnx_files import small


@pytest.fixture(scope="session")
def over_maps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainedModel]:
    """A model whose actions read maps, and its ONNX file, which the first of the processes that test has written."""
    folder = tmp_path_factory.getbasetemp()
    path = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "over-maps.onnx"
    with torch.random.fork_rng():
        torch.manual_seed(0)  # the same in each process
        trained = small(source="0")
    with FileLock(f"{path}.lock"):
        if not path.exists():
            export_onnx(trained, path)
    return path, trained
