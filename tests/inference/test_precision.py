"""In which precision the network runs."""

import pytest
import torch

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.precision import Precision

CPU = torch.device("cpu")


def test_unknown_precision() -> None:
    with pytest.raises(
        ConfigError, match=r"unknown precision 'half'; choose one of 'float32', 'bfloat16', 'float16'"
    ):
        Precision("half", CPU)
