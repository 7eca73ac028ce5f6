"""Shared by all tests and by the examples in docstrings: the plugin is left off between them, seeds are set."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True)
def _plugin_off_and_seeded() -> Iterator[None]:
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    yield
    from reidar_plugin.plugin import registration

    registration.disable()
    registration._user_models.clear()
