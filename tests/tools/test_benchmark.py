"""The parts of the benchmark that its figures hang on: sizes, turns, ratios."""

import runpy
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
BENCHMARK = runpy.run_path(str(TOOLS / "benchmarks/eval.py"))


def test_made_up_table_has_the_sizes_of_mars() -> None:
    query, gallery = BENCHMARK["made_up_table"]()
    assert (len(query), len(gallery), int((gallery[:, 0] == 0).sum())) == (1980, 9330, 3248)
    assert set(query[:, 0]) == set(range(1, 627))


def test_sides_run_in_turn() -> None:
    calls: list[str] = []
    sides = (lambda: calls.append("A") or "a"), (lambda: calls.append("B") or "b")
    first, second, times = BENCHMARK["in_turn"](*sides, 3)
    assert (first, second, "".join(calls), times.shape) == ("a", "b", "ABABAB", (2, 3, 2))
    assert (times >= 0).all()


def test_ratio_is_of_the_rounds() -> None:
    times = np.array([[[2.0, 2.0], [8.0, 2.0], [3.0, 2.0]], [[1.0, 0.5], [2.0, 0.5], [1.0, 0.5]]])
    rows = [line.split() for line in BENCHMARK["compared"](times).splitlines()[2:]]
    assert rows[0] == ["torchreid", "3.000", "2.000", "-", "8.000", "2.000"]
    assert rows[2] == ["ratio", "3.0x", "2.0x", "-", "4.0x", "4.0x"]


def test_shares_are_of_the_whole_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    shares = runpy.run_path(str(TOOLS / "benchmarks/shares.py"))
    kind = shares["kind_of"]
    names = ("aten::mkldnn_convolution", "aten::native_batch_norm_backward", "aten::addmm", "aten::add_")
    assert [kind(name) for name in names] == ["convolutions", "normalisation", "matrix products", "all else"]
    spent = shares["Spent"](Counter({"all else": 0.1, "convolutions": 0.6}), 0.8)
    assert spent.rows("a step") == [
        ["a step", "convolutions", "600.0", "75.0%"],
        ["a step", "all else", "100.0", "12.5%"],
        ["a step", "Python, and waiting", "100.0", "12.5%"],
    ]
