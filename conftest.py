"""Shared by all tests and by the examples in docstrings: the plugin is left off between them, seeds are set.

Large packages are imported where they are needed: the process that hands tests out to others needs none.
"""

import gc
import random
from collections.abc import Iterator

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    """What tests and their imports have made lives to the end: neither the collector nor forked processes go over it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _plugin_off_and_seeded() -> Iterator[None]:
    import numpy as np
    import torch

    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    yield
    from reidar_plugin.plugin import registration

    registration.disable()
    registration._user_models.clear()
