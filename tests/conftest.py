"""What tests share beside ../conftest.py: a fake MARS, the real tables where they are, Ctrl-C as in a terminal."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def mars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root of a fake MARS, written once."""
    from tests.engine_rig import make_data

    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def two_ranks() -> list[dict[str, Any]]:
    """What each of two ranks came to, see ranks/rig.py; they are started once."""
    from tests.ranks.rig import on_ranks, what_ranks_do

    return on_ranks(2, what_ranks_do)


@pytest.fixture
def shared() -> Path:
    """The folder of real tables beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the real MARS tables are not beside this checkout")
    return SHARED


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as it is in a terminal; tests may run where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
