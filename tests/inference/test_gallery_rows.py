import json
from typing import Any

import numpy as np
import pytest

from reidar_plugin.inference.gallery_rows import (
    GalleryError,
    GalleryModel,
    check_features,
    known_model,
    row_of,
    schema_of,
    table_of,
)
from tests.inference.gallery_street import MODEL, features_of, rows_of

pytest.importorskip("pyarrow", reason="the extra 'gallery' is not installed")


@pytest.mark.parametrize(
    "model", [MODEL, GalleryModel("b", 3, "cosine"), GalleryModel("c", 2, actions=("a|b", "ö `x`"))]
)
def test_the_schema_holds_the_model(model: GalleryModel) -> None:
    assert known_model("here", schema_of(model)) == model


def test_rows_come_back_from_their_columns() -> None:
    rows = [row._replace(actions=row.actions and {"walking": 0.25, "riding": 0.5}) for row in rows_of(8)]
    table = table_of(rows, features_of(8), MODEL)
    assert [row_of(columns, MODEL) for columns in table.to_pylist()] == rows
    assert rows[6].actions is None
    np.testing.assert_array_equal(np.stack(table["feature"].to_numpy(zero_copy_only=False)), features_of(8))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": ""}, "expected text for id, camera and source"),
        ({"camera": 3}, "expected text for id, camera and source"),
        ({"start": float("nan")}, "morning/gate/0: expected a start that is not after its end, got nan"),
        ({"end": 0.0}, "expected a start that is not after its end"),
        ({"first_frame": -1}, "morning/gate/0: expected frames in order, got -1 to 9"),
        ({"last_frame": -1}, "expected frames in order, got 0 to -1"),
        (
            {"actions": {"riding": 0.5}},
            "morning/gate/0: expected a likelihood of walking, riding, got {'riding': 0.5}",
        ),
        ({"actions": {"walking": 1.5, "riding": 0}}, "expected likelihoods from 0 to 1, got"),
        ({"actions": {"walking": float("nan"), "riding": 0}}, "expected likelihoods from 0 to 1, got"),
        ({"id": "morning/o'yard/1"}, "comes twice among the rows"),
        ({"identity": 5}, "morning/gate/0: expected text or None for identity, got 5"),
    ],
)
def test_a_wrong_row_is_named(change: dict[str, Any], message: str) -> None:
    rows = rows_of(2)
    rows[0] = rows[0]._replace(**change)
    with pytest.raises(GalleryError, match=message):
        table_of(rows, features_of(2), MODEL)


def test_wrong_features_are_named() -> None:
    with pytest.raises(GalleryError, match=r"expected features of shape \(2, 8\) .* got \(2, 7\)"):
        check_features(np.zeros((2, 7)), 2, MODEL)
    with pytest.raises(GalleryError, match=r"expected features of shape \(3, 8\)"):
        check_features(np.zeros((2, 8)), 3, MODEL)
    features = features_of(3)
    features[1, 2] = np.inf
    with pytest.raises(GalleryError, match="1 of 3 features are not finite, the first is row 1"):
        check_features(features, 3, MODEL)
    features[1] = 0
    assert check_features(features, 3, MODEL) is not None
    with pytest.raises(GalleryError, match="1 of 3 features are zero or not finite, the first is row 1"):
        check_features(features, 3, MODEL._replace(metric="cosine"))


def test_another_table_is_no_gallery() -> None:
    import pyarrow as pa

    with pytest.raises(GalleryError, match="here: expected a gallery of this version of the plugin"):
        known_model("here", pa.schema([("id", pa.string())]))


@pytest.mark.parametrize("change", [{"fingerprint": ""}, {"width": 0}, {"actions": ("a", "a")}])
def test_a_model_is_checked(change: dict[str, Any]) -> None:
    with pytest.raises(
        GalleryError, match="expected a model with a fingerprint, a width and actions that differ"
    ):
        schema_of(MODEL._replace(**change))


@pytest.mark.parametrize(
    "change",
    [
        {"metric": []},
        {"width": "8"},
        {"width": -1},
        {"actions": [1, "b"]},
        {"actions": 3},
        {"thresholds": [0.5, 0.5, 0.5]},
        {"thresholds": [2, 0.5]},
        {"more": 1},
    ],
    ids=str,
)
def test_a_damaged_model_is_one_line(change: dict[str, Any]) -> None:
    schema = schema_of(MODEL)
    [(key, text)] = schema.metadata.items()
    good = json.loads(text)
    assert known_model("here", schema.with_metadata({key: json.dumps(good).encode()})) == MODEL
    for broken in (json.dumps({**good, **change}).encode(), text[:-1], b"[" * 10**5, b"[]"):
        with pytest.raises(GalleryError, match="here: expected a gallery of this version"):
            known_model("here", schema.with_metadata({key: broken}))


@pytest.mark.parametrize(
    "change", ["a column is missing", "a column is text", "another width", "one action more"]
)
def test_columns_of_another_model_are_no_gallery(change: str) -> None:
    import pyarrow as pa

    schema = schema_of(MODEL)
    place = schema.get_field_index("feature" if change == "another width" else "start")
    told = schema_of(MODEL._replace(actions=("walking", "riding", "waving"))).metadata
    changed = {
        "a column is missing": schema.remove(place),
        "a column is text": schema.set(place, pa.field("start", pa.string())),
        "another width": schema.set(place, pa.field("feature", pa.list_(pa.float32(), 7))),
        "one action more": schema.with_metadata(told),
    }[change]
    with pytest.raises(GalleryError, match="here: expected a gallery of this version of the plugin"):
        known_model("here", changed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": None}, "expected text for id, camera and source"),
        ({"camera": None}, "expected text for id, camera and source"),
        ({"start": None}, "morning/gate/0: expected a start that is not after its end, got None"),
        ({"start": float("nan")}, "expected a start that is not after its end, got nan"),
        ({"end": float("inf")}, "expected a start that is not after its end, got 1777622400.0 and inf"),
        ({"end": 1e12}, r"seconds since 1970, of the years 1 to 9999"),
        ({"start": -1e12}, r"seconds since 1970, of the years 1 to 9999"),
        ({"first_frame": None}, "morning/gate/0: expected frames in order, got None to 9"),
        ({"action_1": None}, "morning/gate/0: expected likelihoods from 0 to 1, got {'riding': None,"),
        ({"action_0": float("nan")}, "expected likelihoods from 0 to 1, got"),
        ({"id": "x" * 5000, "start": None}, r"^x{75} \.\.\. x{20}: expected a start"),
    ],
)
def test_a_row_that_was_never_added_is_named(change: dict[str, Any], message: str) -> None:
    [columns] = table_of(rows_of(1), features_of(1), MODEL).to_pylist()
    assert row_of(columns, MODEL).id == "morning/gate/0"
    with pytest.raises(GalleryError, match=message):
        row_of({**columns, **change}, MODEL)


def test_times_that_no_calendar_has_are_not_added() -> None:
    for start in (1e12, -1e12):
        rows = [rows_of(1)[0]._replace(start=start, end=start)]
        with pytest.raises(GalleryError, match=r"morning/gate/0: expected a start .* of the years 1 to 9999"):
            table_of(rows, features_of(1), MODEL)
