"""Checkpoints that the tests of this folder read."""

from pathlib import Path

import pytest

from tests.checkpoint.runs import EPOCHS
from tests.engine_rig import config, run


@pytest.fixture(scope="session")
def whole(mars: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody interrupted."""
    save_dir = tmp_path_factory.mktemp("whole")
    run(config(mars, save_dir, **EPOCHS))
    return save_dir


@pytest.fixture
def two(mars: Path, whole: Path, tmp_path: Path) -> Path:
    """A copy of the checkpoints after 2 and 3 epochs."""
    (tmp_path / "model").mkdir()
    for name in ("model.pth.tar-2", "model.pth.tar-3"):
        (tmp_path / "model" / name).write_bytes((whole / "model" / name).read_bytes())
    return tmp_path
