"""What tests share beside ../conftest.py: a fake MARS, the real tables where they are, Ctrl-C as in a terminal, and what
makes small runs and large networks cheap.
"""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import elsewhere

allow: Callable[[], None]


def pytest_configure() -> None:
    global allow
    allow = elsewhere.forbid()
    os.environ["ORT_DISABLE_TELEMETRY"] = (
        "1"  # tests that ask whether onnxruntime is there import it by themselves
    )


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Pytest writes its cache, and a report that was asked for."""
    allow()


#: Files that fork this process hundreds of times, which costs the more the larger it has grown.
FORKING = ("tests/tools/test_torture.py",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that fork often come first, while a process is small, then those that train or start processes.

    One of these that is given to a process last would be left alone with it.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (not item.nodeid.startswith(FORKING), item.path not in slow))


SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def no_chart() -> Iterator[Callable[..., None]]:
    """Runs draw no ``training.png``, which takes longer than a small run; the function that would, for those who ask."""
    from reidar_plugin.engine import reporting

    original = reporting.draw_training
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reporting, "draw_training", lambda history, folder: None)
        yield original


@pytest.fixture
def chart(no_chart: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs draw it all the same."""
    from reidar_plugin.engine import reporting

    monkeypatch.setattr(reporting, "draw_training", no_chart)


@pytest.fixture
def quick_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large kernels start from numbers that repeat, see :mod:`tests.quick_weights`."""
    from tests import quick_weights

    quick_weights.install(monkeypatch)


@pytest.fixture(scope="session")
def mars(tmp_path_factory: pytest.TempPathFactory, no_chart: object) -> Path:
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
    """Ctrl-C and the end of a terminal as they are in one; tests may run where both are ignored (nohup)."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
