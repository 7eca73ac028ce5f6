"""The fake MARS is written once."""

from pathlib import Path

import pytest
from engine_rig import make_data


@pytest.fixture(scope="session")
def mars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root of a fake MARS."""
    return make_data(tmp_path_factory.mktemp("data"))
