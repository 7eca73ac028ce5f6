"""Our label file: prefixes, what stands for unknown, and errors that name file and line."""

from pathlib import Path

import pytest

from reidar_plugin.labels.files import (
    KeyForm,
    LabelTable,
    MissingFileError,
    ancestors,
    read_labels,
    write_labels,
)
from reidar_plugin.labels.spaces import ACTIONS3, ACTIONS8, LabelError
from tests.fakes import write_actions


def read(tmp_path: Path, *rows: str) -> LabelTable:
    path = tmp_path / "actions.csv"
    path.write_text("\n".join(["tracklet,labels", *rows]) + "\n", encoding="utf-8")
    return read_labels(path, ACTIONS8)


def test_the_longest_prefix_wins(tmp_path: Path) -> None:
    table = read(tmp_path, "0001,walking", "0001C2T0003,riding|trolley", "0001C2,phone_to_ear")
    assert table.lookup("0001C1T0003") == {"walking"}
    assert table.lookup("0001C2T0001") == {"phone_to_ear"}
    assert table.lookup("0001C2T0003") == {"riding", "trolley"}
    assert table.lookup("0002C1T0001") is None


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("1", "10"),
        ("0001C1", "0001C10T0001"),
        ("0001C1T1", "0001C1T10"),
        ("scen1/view1", "scen1/view10/17"),
        ("scen1/view1/1", "scen1/view1/17"),
        ("scen1", "scen10/view1/1"),
        ("person001", "person0011/cam1"),
    ],
)
def test_a_prefix_ends_where_a_component_ends(tmp_path: Path, short: str, long: str) -> None:
    table = read(tmp_path, f"{short},walking")
    assert table.lookup(short) == {"walking"}
    assert table.lookup(long) is None


def test_lpw_and_person_folder_keys(tmp_path: Path) -> None:
    table = read(tmp_path, "scen1/view2,walking", "scen1/view2/17,riding", "person001,trolley")
    assert table.lookup("scen1/view2/17") == {"riding"}
    assert table.lookup("scen1/view2/18") == {"walking"}
    assert table.lookup("person001/cam2") == {"trolley"}


def test_ancestors_of_a_name_that_looks_like_neither() -> None:
    assert list(ancestors("ABC1T2")) == ["ABC1T2"]
    assert list(ancestors("0001T0003")) == ["0001T0003", "0001"]


def test_unknown_none_and_overriding_with_unknown(tmp_path: Path) -> None:
    table = read(tmp_path, "0001,walking", "0001C2,", "0002,none", "", "0003,riding")
    assert table.lookup("0001C2T0001") is None
    assert table.lookup("0001C1T0001") == {"walking"}
    assert table.lookup("0002C1T0001") == frozenset()
    assert table.lookup("0003C1T0001") == {"riding"}


def test_keys_that_name_nothing(tmp_path: Path) -> None:
    table = read(tmp_path, "0001,walking", "0002C3,riding", "0004,walking")
    assert table.unused(["0001C1T0001", "0002C1T0001"]) == ["0002C3", "0004"]
    assert table.lines["0004"] == 4


def test_written_and_read_back(tmp_path: Path) -> None:
    entries = {"0001": {"walking", "riding"}, "0002C1": None, "scen1/view2/17": frozenset[str]()}
    path = tmp_path / "labels.csv"
    write_labels(path, entries)
    assert path.read_text() == "tracklet,labels\n0001,riding|walking\n0002C1,\nscen1/view2/17,none\n"
    assert read_labels(path).entries == entries


def test_what_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"labels\.csv:2: 'a,b' cannot be a label|labels\.csv:2: expected"):
        write_labels(tmp_path / "labels.csv", {"0001": {"a,b"}})
    assert not (tmp_path / "labels.csv").exists()


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_files_of_other_programs(tmp_path: Path, start: bytes, end: bytes) -> None:
    path = tmp_path / "actions.csv"
    path.write_bytes(start + end.join([b"tracklet,labels", b"0001,walking", b"0002,riding"]))
    assert read_labels(path).entries == {"0001": {"walking"}, "0002": {"riding"}}


def test_the_space_is_asked_through_its_merges(tmp_path: Path) -> None:
    path = write_actions(tmp_path / "actions.csv", [("0001", "trolley")])
    table = read_labels(path, ACTIONS3)
    assert ACTIONS3.encode(table.lookup("0001")).tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0002", r":3: expected '<tracklet>,<label>\|<label>', got '0002'"),
        ("0002,walking,riding", r":3: expected '<tracklet>,<label>\|<label>', got '0002,walking,riding'"),
        (",walking", r":3: '' is no key"),
        ("0002 ,walking", r":3: '0002 ' is no key"),
        ('"0002",walking', r":3: '\"0002\"' is no key"),
        ("scen1//17,walking", r":3: 'scen1//17' is no key"),
        (
            "0002,walkin",
            r":3: unknown label 'walkin'; label space 'actions8' knows .*did you mean 'walking'\?",
        ),
        ("0002,walking|", r":3: '' cannot be a label"),
        ("0002, walking", r":3: ' walking' cannot be a label"),
        ("0002,walking|none", r":3: 'none' cannot be a label"),
        ("0002,walking|walking", r":3: a label is given twice, got 'walking\|walking'"),
        ("0001,riding", r":3: '0001' has labels already, on line 2"),
        ("0002,walk\x00ing", r":3: 'walk\\x00ing' cannot be a label"),
        ("0002,walk\u2028ing", r":3: 'walk\\u2028ing' cannot be a label"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(LabelError, match=r"actions\.csv" + message):
        read(tmp_path, "0001,walking", line, "0009,riding")


def test_a_byte_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "actions.csv"
    path.write_bytes(b"tracklet,labels\n0001,walking\n0002,rid\xffing\n")
    with pytest.raises(LabelError, match=r"actions\.csv:3: not UTF-8 text: byte 0xff"):
        read_labels(path)


@pytest.mark.parametrize("header", ["", "tracklet,label", "0001,walking"])
def test_the_header_is_asked_for(tmp_path: Path, header: str) -> None:
    path = tmp_path / "actions.csv"
    path.write_text(header + "\n0001,walking\n", encoding="utf-8")
    with pytest.raises(
        LabelError, match=rf"actions\.csv:1: expected the header 'tracklet,labels', got '{header}'"
    ):
        read_labels(path)


def test_an_empty_file_and_no_file(tmp_path: Path) -> None:
    path = tmp_path / "actions.csv"
    path.touch()
    with pytest.raises(LabelError, match=r"actions\.csv:1: expected the header"):
        read_labels(path)
    with pytest.raises(MissingFileError, match=r"nothing\.csv: no such file"):
        read_labels(tmp_path / "nothing.csv")
    with pytest.raises(FileNotFoundError):
        read_labels(tmp_path)


def test_keys_of_another_data_set_are_refused(tmp_path: Path) -> None:
    path = write_actions(tmp_path / "actions.csv", [("0001", "walking"), ("scen1/view2/17", "walking")])
    with pytest.raises(
        LabelError, match=r"actions\.csv:3: 'scen1/view2/17' names no tracklet .* like 0001 or 0001C2"
    ):
        read_labels(path, keys=KeyForm(r"\d{4}(C\d)?", "0001 or 0001C2"))


def test_a_failed_write_leaves_the_file_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "labels.csv"
    write_labels(path, {"0001": {"walking"}})
    before = path.read_bytes()

    def full(part: Path, content: bytes) -> int:
        with part.open("wb") as file:
            file.write(content[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(
        OSError, match="No space left on device; no half of it was written; free space and start again"
    ):
        write_labels(path, {"0001": {"riding"}, "0002": {"walking"}})
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["labels.csv"]
