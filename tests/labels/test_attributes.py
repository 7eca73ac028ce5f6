"""Attribute groups and the published table of MARS."""

from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.labels.attributes import (
    ATTRIBUTE_GROUPS,
    NO_ATTRIBUTES,
    AttributeGroup,
    AttributeSpace,
    attribute_space,
    read_attributes,
)
from reidar_plugin.labels.files import MissingFileError
from reidar_plugin.labels.spaces import LabelError

PUBLISHED = [name for name in ATTRIBUTE_GROUPS if name not in ("pose", "motion")]


def write(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "attributes.csv"
    path.write_text("\n".join(["person-id,camera,tracklet,hat,pose", *rows]) + "\n", encoding="utf-8")
    return path


def test_a_row_is_one_hot_in_each_group() -> None:
    space = attribute_space(["Age", "hat"])
    assert space.names == ("Age=0", "Age=1", "Age=2", "Age=3", "hat=0", "hat=1")
    assert space.sizes == (4, 2)
    assert space.slices == {"Age": slice(0, 4), "hat": slice(4, 6)}
    assert space.encode({"Age=2", "hat=0"}).tolist() == [0, 0, 1, 0, 1, 0]
    assert space.encode({"Age=2", "hat=0"}).dtype == np.float32
    assert space.decode([0, 0, 1, 0, 1, 0]) == {"Age=2", "hat=0"}


def test_what_is_not_said_is_unknown_by_group() -> None:
    space = attribute_space(["Age", "hat"])
    row = space.encode({"hat=1"})
    assert np.isnan(row[:4]).all()
    assert row[4:].tolist() == [0, 1]
    assert np.isnan(space.encode(None)).all()
    assert space.decode(space.encode(None)) is None


def test_no_attributes_are_no_columns() -> None:
    assert len(NO_ATTRIBUTES) == 0
    assert NO_ATTRIBUTES.encode({"hat=1"}).shape == (0,)
    assert NO_ATTRIBUTES.encode(None).shape == (0,)


def test_person_and_moment_part_the_columns() -> None:
    space = attribute_space(["pose", "hat", "motion", "Age"])
    person, moment = space.part(of_person=True), space.part(of_person=False)
    assert [group.name for group in person.groups] == ["hat", "Age"]
    assert moment.sizes == (6, 5)
    assert space.columns(person) == [6, 7, *range(13, 17)]
    assert sorted(space.columns(person) + space.columns(moment)) == list(range(len(space)))


def test_groups_of_ones_own() -> None:
    space = attribute_space(["shirt=red|green", "~mood=glad|sad|none_of_it"])
    assert space.groups[0] == AttributeGroup("shirt", ("red", "green"), of_person=True)
    assert space.groups[1] == AttributeGroup("mood", ("glad", "sad", "none_of_it"), of_person=False)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["hats"], r"unknown attribute group 'hats'; choose of Tops\.c, .*did you mean 'hat'\?"),
        (["hat", "hat"], r"groups must differ, got hat, hat"),
        (["shirt=red"], r"group 'shirt': expected values that differ, got \('red',\)"),
        (["shirt=red|red"], r"group 'shirt': expected values that differ"),
        (["shirt="], r"attribute group 'shirt': '' cannot be a label"),
        (["=red|green"], r"attributes: '' cannot be a label"),
    ],
)
def test_groups_that_cannot_be(groups: list[str], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        attribute_space(groups)


def test_encode_refuses_other_values_and_two_at_once() -> None:
    space = attribute_space(["hat"])
    with pytest.raises(LabelError, match=r"unknown attribute 'hat=2'; 'hat' is one of \('hat=0', 'hat=1'\)"):
        space.encode({"hat=2"})
    with pytest.raises(LabelError, match=r"two values of the attribute 'hat' in \['hat=0', 'hat=1'\]"):
        space.encode({"hat=0", "hat=1"})
    with pytest.raises(LabelError, match=r"shape \(2,\), got \(3,\)"):
        space.decode([0, 0, 1])


def test_the_table_is_asked_by_the_key_of_a_tracklet(tmp_path: Path) -> None:
    table = read_attributes(write(tmp_path, "1,2,58,1,5", "12,1,3,0,0"), attribute_space(["pose", "hat"]))
    assert table.lookup("0001C2T0058") == {"hat=1", "pose=5"}
    assert table.lookup("0012C1T0003") == {"hat=0", "pose=0"}
    assert table.lookup("0001C2T0057") is None
    assert table.lookup("0001") is None


def test_only_the_groups_asked_for_are_read(tmp_path: Path) -> None:
    table = read_attributes(write(tmp_path, "1,2,58,1,whatever"), attribute_space(["hat"]))
    assert table.lookup("0001C2T0058") == {"hat=1"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,2,58,1", r":3: expected 5 cells that begin with 3 numbers, got '1,2,58,1'"),
        ("1,b,58,1,0", r":3: expected 5 cells that begin with 3 numbers"),
        ("1,²,58,1,0", r":3: expected 5 cells that begin with 3 numbers"),
        ("1" * 5000 + ",2,58,1,0", r":3: expected 5 cells that begin with 3 numbers"),
        ("1,2,58,2,0", r":3: hat is one of hat=0, hat=1, got '2'"),
        ("1,2,58,1,", r":3: pose is one of pose=0, .*, got ''"),
        ("9,1,1,0,0", r":3: person 9, camera 1, tracklet 1 is listed twice"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(LabelError, match=r"attributes\.csv" + message):
        read_attributes(write(tmp_path, "9,1,1,0,0", row), attribute_space(["hat", "pose"]))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "person,camera,tracklet,hat",
            r":1: expected person-id,camera,tracklet and columns that differ, got",
        ),
        (
            "person-id,camera,tracklet,hat,hat",
            r":1: expected person-id,camera,tracklet and columns that differ",
        ),
        ("person-id,camera,tracklet,Age", r":1: no column 'hat'; there are Age"),
        ("", r":1: expected person-id,camera,tracklet"),
    ],
)
def test_a_bad_header_is_named(tmp_path: Path, header: str, message: str) -> None:
    path = tmp_path / "attributes.csv"
    path.write_text(header + "\n", encoding="utf-8")
    with pytest.raises(LabelError, match=r"attributes\.csv" + message):
        read_attributes(path, attribute_space(["hat"]))


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"attributes\.csv: no such file"):
        read_attributes(tmp_path / "attributes.csv", attribute_space(["hat"]))


@pytest.mark.shared
def test_the_published_table(shared: Path) -> None:
    space = attribute_space(PUBLISHED)
    assert len(space) == 9 + 10 + 4 + 9 * 2
    table = read_attributes(shared / "mars/mars_attributes.csv", space)
    assert len(table.entries) == 16360
    assert len({person for person, _, _ in table.entries}) == 1259
    rows = np.stack([space.encode(entry) for entry in table.entries.values()])
    assert (rows.sum(axis=1) == 12).all()
    assert rows[:, space.slices["Age"]].sum(axis=0).tolist() == [104, 13161, 2837, 258]
    first = [8, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0]  # the first line of the table
    expected = {f"{group}={value}" for group, value in zip(PUBLISHED, first, strict=True)}
    assert table.lookup("0001C2T0058") == expected


def test_spaces_are_values() -> None:
    assert attribute_space(["hat"]) == AttributeSpace((ATTRIBUTE_GROUPS["hat"],))
    assert attribute_space(["hat"]) != attribute_space(["Age"])
