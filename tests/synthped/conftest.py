"""A tiny set, drawn once for all tests of SynthPed; nobody may change it."""

from pathlib import Path

import pytest

from reidar_plugin.synthped import make


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("synthped")
    make(root, "tiny", workers=1)
    return root


@pytest.fixture(scope="session")
def mars(root: Path) -> Path:
    return root / "mars"
