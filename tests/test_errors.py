"""What a config, a file or a data set can cause is an error that is shown in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from reidar_plugin import errors
from reidar_plugin.data.samplers import BalancedIdentities
from reidar_plugin.errors import ReidarError, nearest, shown, summary
from reidar_plugin.metrics.distances import check_metric
from reidar_plugin.metrics.intervals import bootstrap_interval
from reidar_plugin.metrics.rerank import rerank
from reidar_plugin.metrics.retrieval import rank_distances
from reidar_plugin.models.heads import check_clips
from reidar_plugin.report.results import read_results, write_atomically


def test_each_is_a_built_in_error_as_well() -> None:
    classes = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    assert len(classes) == 8
    for each in classes:
        assert issubclass(each, ReidarError)
        builtins = [base for base in each.__mro__ if base.__module__ == "builtins"]
        assert each is ReidarError or builtins[0] not in (Exception, BaseException, object)


def wrong_json(path: Path) -> None:
    (path / "results.json").write_text(json.dumps({"schema": -1}))
    read_results(path)


def no_folder(path: Path) -> None:
    (path / "file").touch()
    write_atomically(path / "file", b"")
    path.joinpath("folder").mkdir()
    write_atomically(path / "folder", b"")


def balance(path: Path) -> None:
    BalancedIdentities([0, 1], 2, 1, seed=0, labels=np.zeros((2, 1), dtype=np.float32), power=-1.0)


#: What a user can cause, and the built-in error that it is.
CAUSED: dict[str, tuple[type[Exception], Callable[[Path], object]]] = {
    "test.dist_metric": (ValueError, lambda path: check_metric("manhattan")),
    "reidar.test.interval_level": (ValueError, lambda path: bootstrap_interval([1.0], level=1.5)),
    "reidar.test.resamples": (ValueError, lambda path: bootstrap_interval([1.0], resamples=0)),
    "reidar.data.balance_power": (ValueError, balance),
    "reidar.test.rerank.k1": (ValueError, lambda path: rerank(torch.eye(2), torch.eye(2), k1=0)),
    "a network that has diverged": (
        ValueError,
        lambda path: rank_distances(torch.full((1, 1), float("nan")), [0], [0], [0], [1]),
    ),
    "train.batch_size": (ValueError, lambda path: check_clips(torch.nn.ReLU(), torch.zeros(1, 2))),
    "no results": (FileNotFoundError, read_results),
    "results of another schema": (ValueError, wrong_json),
    "a folder in the way": (OSError, no_folder),
}


@pytest.mark.parametrize("name", CAUSED)
def test_what_a_user_can_cause_is_one_line(name: str, tmp_path: Path) -> None:
    kind, cause = CAUSED[name]
    with pytest.raises(ReidarError) as caught:
        cause(tmp_path)
    assert isinstance(caught.value, kind)
    assert str(caught.value).count("\n") == 0


def test_nearest() -> None:
    assert nearest("tripplet", ("softmax", "triplet")) == " did you mean 'triplet'?"
    assert nearest("zzz", ("softmax", "triplet")) == ""


def test_summary_is_the_first_sentence() -> None:
    assert summary(ValueError("One thing. Another.\nMore")) == "ValueError: One thing"
    assert summary(KeyError()) == "KeyError"
    assert len(summary(OSError("word " * 100))) < 180


@pytest.mark.parametrize("value", [16**5000, [16**5000], {"a": 16**5000}], ids=["alone", "list", "map"])
def test_a_number_that_python_does_not_spell(value: object) -> None:
    assert shown(value) == f"a value of type {type(value).__name__} with thousands of digits"
