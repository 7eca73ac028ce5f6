"""Results whose values are not what they were are refused where they are read."""

import copy
import dataclasses
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reidar_plugin.errors import InputError
from reidar_plugin.metrics.actions import PAPER_MAP
from reidar_plugin.report import results as module
from reidar_plugin.report.results import Results, collect_results, read_results, write_results
from reidar_plugin.report.results_form import unfit_array, unfit_value
from tests.report.made_up import made_up

OTHERS = ("x", None, True, [], {}, [[1]], float("nan"), float("inf"), 10**30, "a" * 5000, "a\nb", "\ud800")


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What a ``results.json`` holds."""
    content: dict[str, Any] = json.loads(
        json.dumps(dataclasses.asdict(dataclasses.replace(made_up(), per_query={})))
    )
    return content


def changed(told: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """With another value at ``retrieval.0.counts.queries``; ``...`` takes it away."""
    content = holder = copy.deepcopy(told)
    *path, last = [int(name) if name.isdigit() else name for name in place.split(".")]
    for name in path:
        holder = holder[name]  # type: ignore[index]
    if value is ...:
        del holder[last]  # type: ignore[arg-type]
    else:
        holder[last] = value  # type: ignore[index]
    return content


PLACES = [
    *("name", "retrieval", "retrieval.1", "retrieval.0.intervals.level", "retrieval.0.intervals.mAP.1"),
    *(f"retrieval.0.{name}" for name in ("protocol", "summary", "distance", "fingerprint", "reranked")),
    *(f"retrieval.2.counts.{name}" for name in ("queries", "valid", "gallery")),
    *("retrieval.0.metrics", "retrieval.0.metrics.mAP", "retrieval.0.metrics.rank-1"),
    *("actions.counts.known", "actions.per_action.riding", "actions.per_action.walking.threshold"),
    *(
        "actions.macro",
        "actions.micro.f1",
        "actions.mAP",
        f"actions.{PAPER_MAP}",
        "actions.confusion.table.0.1",
    ),
    *("config", "seeds", "notes", "versions", "versions.torch"),
]


@pytest.mark.parametrize("place", PLACES)
def test_a_value_of_another_kind(told: dict[str, Any], place: str) -> None:
    assert unfit_value(told) == ""
    words = place.replace(".0", "[0]").replace(".1", "[1]").replace(".2", "[2]")
    refused = [found for value in OTHERS if (found := unfit_value(changed(told, place, value)))]
    assert len(refused) > 7
    assert all(f"{words.rpartition('[')[0] or words}" in found for found in refused)
    assert max(map(len, refused)) < 300


@pytest.mark.parametrize("place", [place for place in PLACES if "." in place and not place[-1].isdigit()])
def test_a_value_that_is_gone(told: dict[str, Any], place: str) -> None:
    if place.rpartition(".")[2] not in ("riding", "torch"):
        assert unfit_value(changed(told, place, ...))


def test_what_may_be_otherwise(told: dict[str, Any]) -> None:
    for place, value in (
        *(("actions", None), ("actions.micro.f1", None), ("retrieval", []), ("retrieval.0.more", {"a": [1]})),
        *(
            ("notes.by", {"a": [1, None, "x\ny"]}),
            ("retrieval.0.metrics.mAP", 1),
            ("retrieval.0.action_weight", 0.5),
        ),
    ):
        assert unfit_value(changed(told, place, value)) == ""


def test_names_and_nesting_have_an_end(told: dict[str, Any]) -> None:
    deep: Any = 1
    for _ in range(100):
        deep = {"a": deep}
    assert unfit_value(changed(told, "notes.a", deep)).startswith(
        "notes.a: expected values nested at most 20 times"
    )
    long = {**told["versions"], "v" * 5000: "1"}
    assert "a name in versions: expected a line of at most 200 letters" in unfit_value(
        changed(told, "versions", long)
    )


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "1/mAP",
            lambda values: values[:-1],
            r"'mAP' of test 1: expected a number a query, got shape \(5,\)",
        ),
        ("1/mAP", lambda values: values[None], r"'mAP' of test 1: expected a number a query"),
        ("0/pid", lambda values: values[:0], "'rank-1' of test 0: expected a number a query"),
        ("2/rank-1", lambda values: values * np.nan, "'rank-1' of test 2: expected finite numbers"),
        ("2/mINP", lambda values: values + 1e308, "'mINP' of test 2: expected finite numbers"),
        ("0/query", lambda values: values + 0.5, "'query' of test 0: expected whole numbers, got float64"),
        ("0/first match", lambda values: values - 1000, "'first match' of test 0: expected ranks from 1 on"),
        ("1/pid", None, "test 1 lacks pid"),
        ("0/first match", None, ""),
    ],
)
def test_arrays_that_are_none_of_a_test(
    tmp_path: Path, name: str, change: Callable[[np.ndarray], np.ndarray] | None, message: str
) -> None:
    results = made_up()
    arrays = dict(results.per_query)
    old = arrays.pop(name)
    if change is not None:
        arrays[name] = change(old)
    path = write_results(Results(**{**vars(results), "per_query": arrays}), tmp_path)
    if message:
        with pytest.raises(InputError, match=rf"results\.\w+\.npz: not the arrays of a test \({message}"):
            read_results(path)
    else:
        assert read_results(path).per_query.keys() == arrays.keys()


def test_without_retrieval_no_array_is_asked_for() -> None:
    assert unfit_array({}, 0) == ""
    assert unfit_array({}, 1) == "test 0 lacks pid, rank-1, mAP, mINP"


def test_a_file_is_refused_by_its_path_and_place(tmp_path: Path) -> None:
    path = write_results(made_up(), tmp_path)
    content = json.loads(path.read_text())
    content["retrieval"][0]["counts"]["valid"] = "many"
    path.write_text(json.dumps(content))
    with pytest.raises(
        InputError,
        match=r"results\.json: not a results file \(retrieval\[0\]\.counts\.valid: expected a whole number, got 'many'; ",
    ):
        read_results(path)


def test_few_bytes_of_arrays_that_unpack_to_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module._LARGEST == 2**27
    monkeypatch.setattr(module, "_LARGEST", 10**6)
    path = write_results(collect_results("x"), tmp_path)
    [old] = tmp_path.glob("*.npz")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.zeros(10**6))
    new = f"results.{hashlib.sha256(buffer.getvalue()).hexdigest()[:12]}.npz"
    (tmp_path / new).write_bytes(buffer.getvalue())
    path.write_text(path.read_text().replace(old.name, new))
    with pytest.raises(InputError, match="bytes when unpacked, expected 1,000,000 at most"):
        read_results(path)
