"""Label spaces: published merges, rows, and what is refused."""

import pickle
from itertools import combinations

import numpy as np
import pytest

from reidar_plugin.labels.spaces import ACTIONS3, ACTIONS5, ACTIONS8, LABEL_SPACES, LabelSpace, label_space

EIGHT = list(ACTIONS8.names)
#: Re-ID-AR, section 4, written out by hand: column of each of the eight in the five and in the three.
IN_EIGHT = dict(zip(EIGHT, range(8), strict=True))
IN_FIVE = dict(zip(EIGHT, [0, 1, 2, 3, 2, 2, 4, 2], strict=True))
IN_THREE = dict(zip(EIGHT, [0, 1, 2, 2, 2, 2, 2, 2], strict=True))


def test_the_published_names_in_the_order_of_table_1() -> None:
    hands = ["item_one_hand", "item_both_hands", "holding_hands", "phone_to_ear", "phone_to_face", "trolley"]
    assert list(ACTIONS8.names) == ["walking", "riding", *hands]
    assert list(ACTIONS5.names) == ["walking", "riding", "item_one_hand", "item_both_hands", "phone_to_face"]
    assert list(ACTIONS3.names) == ["walking", "riding", "using_hands"]
    assert [len(space) for space in LABEL_SPACES.values()] == [8, 5, 3]


@pytest.mark.parametrize(
    ("space", "columns"),
    [
        (ACTIONS8, {label: place for place, label in enumerate(EIGHT)}),
        (ACTIONS5, IN_FIVE),
        (ACTIONS3, IN_THREE),
    ],
    ids=["8", "5", "3"],
)
def test_every_pair_lands_where_the_paper_merges_it(space: LabelSpace, columns: dict[str, int]) -> None:
    for labels in [{label} for label in EIGHT] + [set(pair) for pair in combinations(EIGHT, 2)]:
        expected = [0.0] * len(space)
        for label in labels:
            expected[columns[label]] = 1.0
        row = space.encode(frozenset(labels))
        assert row.dtype == np.float32
        assert row.tolist() == expected


def test_unknown_is_nan_and_none_is_zero() -> None:
    assert np.isnan(ACTIONS5.encode(None)).all()
    assert ACTIONS5.encode(None).shape == (5,)
    assert ACTIONS5.encode(frozenset()).tolist() == [0.0] * 5
    assert ACTIONS5.decode(ACTIONS5.encode(None)) is None
    assert ACTIONS5.decode([0.0] * 5) == frozenset()


def test_decode_undoes_encode() -> None:
    labels = frozenset({"riding", "trolley"})
    assert ACTIONS8.decode(ACTIONS8.encode(labels)) == labels
    assert ACTIONS3.decode(ACTIONS3.encode(labels)) == {"riding", "using_hands"}


def test_rows_are_fresh() -> None:
    first = ACTIONS3.encode({"walking"})
    first[:] = 9
    assert ACTIONS3.encode({"walking"}).tolist() == [1.0, 0.0, 0.0]


def test_the_five_spell_their_own_names_and_not_those_of_the_three() -> None:
    with pytest.raises(ValueError, match=r"unknown label 'using_hands'; .*'actions5' knows walking, riding"):
        ACTIONS5.encode({"using_hands"})


def test_a_slip_names_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"'phone_to_eer'.*trolley; did you mean 'phone_to_ear'\?"):
        ACTIONS8.encode({"phone_to_eer"})


@pytest.mark.parametrize("row", [[0.0, 1.0], [[0.0, 1.0, 0.0]]])
def test_decode_names_both_shapes(row: list[float]) -> None:
    with pytest.raises(ValueError, match=r"expected a row of shape \(3,\), got \("):
        ACTIONS3.decode(row)


@pytest.mark.parametrize("row", [[0.0, 0.5, 1.0], [np.nan, 0.0, 1.0]])
def test_decode_takes_no_likelihoods(row: list[float]) -> None:
    with pytest.raises(ValueError, match="expected zeros and ones, got"):
        ACTIONS3.decode(row)


def test_a_string_is_not_a_set_of_labels() -> None:
    with pytest.raises(TypeError, match="expected a set of labels, got the string 'walking'"):
        ACTIONS3.encode("walking")


def test_a_space_of_ones_own() -> None:
    space = label_space("shop", ["standing", "carrying=item_one_hand|trolley"])
    assert space.names == ("standing", "carrying")
    assert space.encode({"trolley"}).tolist() == [0.0, 1.0]
    assert space == pickle.loads(pickle.dumps(space))
    assert space != label_space("shop", ["standing", "carrying"])


@pytest.mark.parametrize(
    ("name", "names", "message"),
    [
        (
            "actions4",
            (),
            r"unknown label space 'actions4'; choose one of actions8, actions5, actions3 or",
        ),
        ("actions3", ("a", "b"), r"'actions3' is published with other names than \('a', 'b'\)"),
        ("own", ("a", "a"), r"names must differ, got \('a', 'a'\)"),
        ("own", ("a", "none"), r"'none' cannot be a label"),
        ("own", ("a,b",), r"'a,b' cannot be a label"),
        ("own", ("a" * 201,), r"cannot be a label; a label has at most 200 letters"),
        ("own", ("a|b",), r"'a\|b' cannot be a label"),
        ("own", (" a",), r"' a' cannot be a label"),
        ("own", ("",), r"'' cannot be a label"),
        ("own", ("a=b|",), r"'' cannot be a label"),
        ("own", ("a=b", "b"), r"cannot merge 'b' into 'a'"),
    ],
)
def test_names_that_cannot_be(name: str, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        label_space(name, names)


def test_pickles_after_use() -> None:
    ACTIONS5.encode({"trolley"})
    copy = pickle.loads(pickle.dumps(ACTIONS5))
    assert copy == ACTIONS5
    assert hash(copy) == hash(ACTIONS5)
    assert copy.encode({"trolley"}).tolist() == [0.0, 0.0, 1.0, 0.0, 0.0]


def test_a_space_needs_names() -> None:
    with pytest.raises(ValueError, match="'empty': expected at least one name, got none"):
        LabelSpace("empty", ())
    with pytest.raises(TypeError, match="names must be a sequence of strings, got 'walking'"):
        LabelSpace("own", "walking")  # type: ignore[arg-type]
