"""The output of a model for the clips of all ranks."""

from typing import Any

import torch

from reidar_plugin.ranks.outputs import gather_output
from tests.ranks.rig import said


def test_two_ranks_say_what_one_says(two_ranks: list[dict[str, Any]]) -> None:
    whole = {key: value for key, value in said(torch.float64)._asdict().items() if value is not None}
    assert "masks" in whole
    for each in two_ranks:
        assert each["output"].keys() == whole.keys() - {"masks"}  # which no loss reads
        for name, value in each["output"].items():
            torch.testing.assert_close(value, whole[name], msg=name)


def test_one_rank_has_all() -> None:
    output = said(torch.float32)
    assert gather_output(output) is output
