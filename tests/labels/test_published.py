"""The published label files: what they become, Table 1 beside them, and what is never guessed."""

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from reidar_plugin.data.mars import MarsActions
from reidar_plugin.labels.files import read_labels, write_labels
from reidar_plugin.labels.published import (
    LAYOUTS,
    TABLE1,
    Numbering,
    distribution,
    matching_names,
    merge_keys,
    read_published,
)
from reidar_plugin.labels.spaces import LabelError
from reidar_plugin.launch.guard import guard
from tests.fakes import ACTIONS

MARS, LPW = LAYOUTS["mars"], LAYOUTS["lpw"]
NUMBERING = Numbering(ACTIONS, first=1)


@pytest.fixture
def main() -> Callable[[Sequence[str]], int]:
    path = Path(__file__).resolve().parents[2] / "tools/import_labels.py"
    spec = importlib.util.spec_from_file_location("import_labels", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda words: guard(lambda: module.main(words), last=False)


def write(path: Path, rows: Sequence[tuple[str, int]], frames: int = 2) -> Path:
    """Lines of ``frames`` images for each (tracklet, integer)."""
    joint = "/" if "/" in rows[0][0] else "F00"
    lines = [f"{key}{joint}{frame}.jpg {number}" for key, number in rows for frame in range(1, frames + 1)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_table1(path: Path, layout: str, half: str, order: Sequence[str] = ACTIONS) -> Path:
    """A published file with the very distribution of Table 1; ``order`` is that of its integers, from 1."""
    names = [name for name, count in zip(ACTIONS, TABLE1[layout, half], strict=True) for _ in range(count)]
    rows = []
    for serial, name in enumerate(names, start=1 if half == "train" else 2001):
        tracklets = ("C1T0001", "C2T0002") if layout == "mars" else ("",)
        person = f"{serial:04d}" if layout == "mars" else f"scen2/view1/{serial}"
        rows += [(person + tracklet, order.index(name) + 1) for tracklet in tracklets]
    return write(path, rows, frames=1)


def test_table_1_adds_up_to_what_the_paper_says() -> None:
    assert [sum(row) for row in TABLE1.values()] == [625, 634, 2701, 1070]


def test_mars_counts_people_from_one_and_leaves_zero_out(tmp_path: Path) -> None:
    path = write(
        tmp_path / "names.txt",
        [("0000C1T0001", 0), ("0002C1T0001", 1), ("0002C2T0001", 1), ("0004C1T0001", 3)],
    )
    labels = read_published([path], MARS, NUMBERING)
    assert labels["0002C2T0001"] == "walking"
    assert labels["0004C1T0001"] == "item_one_hand"
    assert labels["0000C1T0001"] is None
    assert distribution(labels, MARS) == (1, 0, 1, 0, 0, 0, 0, 0)
    assert merge_keys(labels) == {"0002": {"walking"}, "0004": {"item_one_hand"}}


@pytest.mark.parametrize("number", [0, 3])
def test_junk_of_mars_is_left_out(tmp_path: Path, number: int) -> None:
    rows = [("00-1C1T0001", number), ("00-1C1T0002", 1), ("0002C1T0001", 1)]
    labels = read_published([write(tmp_path / "names.txt", rows)], MARS, NUMBERING)
    assert labels == {"0002C1T0001": "walking"}
    write_labels(tmp_path / "actions.csv", merge_keys(labels))
    assert read_labels(tmp_path / "actions.csv", keys=MarsActions.key_form).lookup("0002C1T0001") == {
        "walking"
    }


def test_lpw_counts_tracklets_by_path(tmp_path: Path) -> None:
    path = write(
        tmp_path / "names.txt",
        [("/pep_256x128/scen2/view1/7", 0), ("scen2/view2/7", 0), ("scen3/view1/7", 1)],
    )
    labels = read_published([path], LPW, Numbering(ACTIONS, first=0))
    assert labels == {"scen2/view1/7": "walking", "scen2/view2/7": "walking", "scen3/view1/7": "riding"}
    assert distribution(labels, LPW) == (2, 1, 0, 0, 0, 0, 0, 0)
    assert merge_keys(labels) == {key: {name} for key, name in labels.items()}


def test_lines_are_as_coarse_as_the_labels_allow() -> None:
    labels = {
        "0001C1T0001": "walking",
        "0001C1T0002": "walking",
        "0001C2T0001": "riding",
        "0001C2T0002": "trolley",
        "0002C1T0001": "walking",
        "0002C1T0002": None,
    }
    assert merge_keys(labels) == {
        "0001C1": {"walking"},
        "0001C2T0001": {"riding"},
        "0001C2T0002": {"trolley"},
        "0002C1T0001": {"walking"},
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0002C1T0001F002.jpg", r":2: expected '0001C1T0001F001\.jpg <integer>', got '0002C1T0001F002\.jpg'"),
        ("0002C1T0001F002.jpg x", r":2: expected an integer from 0 to 8, got 'x'"),
        ("0002C1T0001F002.jpg 9", r":2: expected an integer from 0 to 8, got '9'; are names missing\?"),
        ("0002C1T0001F002.jpg -1", r":2: expected an integer from 0 to 8, got '-1'"),
        ("0002C1T0001F002.jpg " + "1" * 5000, r":2: expected an integer from 0 to 8, got '1111"),
        ("1" * 5000, r":2: expected '0001C1T0001F001\.jpg <integer>', got '1111"),
        ("٠٠٠٢C1T0001F002.jpg 1", r":2: expected '0001C1T0001F001\.jpg <integer>'"),
        ("0002C1T0001F002.png 1", r":2: expected '0001C1T0001F001\.jpg <integer>'"),
        ("", r":2: expected '0001C1T0001F001\.jpg <integer>', got ''"),
        ("0002C1T0001F002.jpg 2", r":2: 0002C1T0001 has label 2 here and 1 at .*names\.txt:1"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "names.txt"
    path.write_text(f"0002C1T0001F001.jpg 1\n{line}\n0002C1T0001F003.jpg 1\n", encoding="utf-8")
    with pytest.raises(LabelError, match=r"names\.txt" + message) as caught:
        read_published([path], MARS, NUMBERING)
    assert len(str(caught.value)) < 3 * len(str(path)) + 300


@pytest.mark.parametrize(
    ("names", "first", "message"),
    [
        (("walking", "walking"), 1, "expected names that differ, got walking, walking"),
        (("walking", "ridin"), 1, r"unknown label 'ridin'.*did you mean 'riding'\?"),
        (("walking",), 2, "the first integer is 0 or 1, got 2"),
        ((), 1, "expected names that differ, got none"),
    ],
)
def test_numberings_that_cannot_be(names: tuple[str, ...], first: int, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        Numbering(names, first)


def test_the_tool_writes_what_has_the_distribution_of_table_1(
    tmp_path: Path, main: Callable[[Sequence[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    order = ["trolley", *ACTIONS[:-1]]  # trolley is 1, walking is 2, ...
    train = write_table1(tmp_path / "train.txt", "mars", "train", order)
    test = write_table1(tmp_path / "test.txt", "mars", "test", order)
    output = tmp_path / "actions.csv"
    arguments = ["--layout", "mars", "--train", str(train), "--test", str(test), "--output", str(output)]
    assert main([*arguments, "--names", ",".join(order)]) == 0
    printed = capsys.readouterr().out
    assert "The distribution is that of Table 1." in printed
    assert "NOT" not in printed
    table = read_labels(output)
    assert len(table.entries) == 625 + 634  # a line a person
    assert table.lookup("0001C2T0002") == {"walking"}


def test_the_tool_is_loud_and_writes_nothing_where_the_order_is_wrong(
    tmp_path: Path, main: Callable[[Sequence[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    train = write_table1(tmp_path / "train.txt", "mars", "train")
    output = tmp_path / "actions.csv"
    swapped = ["riding", "walking", *ACTIONS[2:]]
    arguments = [
        "--layout",
        "mars",
        "--train",
        str(train),
        "--output",
        str(output),
        "--names",
        ",".join(swapped),
    ]
    assert main(arguments) == 1
    printed = capsys.readouterr().out
    assert "THE DISTRIBUTION IS NOT THAT OF TABLE 1" in printed
    assert "what you call riding has the counts of walking" in printed
    assert "what you call holding_hands has the counts of holding_hands or trolley" in printed
    assert not output.exists()
    assert main([*arguments, "--accept"]) == 0
    assert read_labels(output).lookup("0001") == {"riding"}


def test_the_tool_never_guesses_the_first_integer_of_lpw(
    tmp_path: Path, main: Callable[[Sequence[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    train = write_table1(tmp_path / "train.txt", "lpw", "train")
    output = tmp_path / "actions.csv"
    arguments = [
        "--layout",
        "lpw",
        "--train",
        str(train),
        "--output",
        str(output),
        "--names",
        ",".join(ACTIONS),
    ]
    assert main(arguments) == 2
    assert "--first is needed" in capsys.readouterr().err
    assert main([*arguments, "--first", "0"]) == 2  # 8 is none of 0 to 7
    assert "expected an integer from 0 to 7, got '8'" in capsys.readouterr().err
    assert main([*arguments, "--first", "1"]) == 0
    assert len(read_labels(output).entries) == 2701


def test_the_tool_names_what_is_missing(
    tmp_path: Path, main: Callable[[Sequence[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--layout", "mars", "--output", str(tmp_path / "actions.csv"), "--names", "walking"]
    assert main(arguments) == 2
    assert "nothing to read" in capsys.readouterr().err
    assert main([*arguments, "--train", str(tmp_path / "gone.txt")]) == 2
    assert "gone.txt: no such file" in capsys.readouterr().err


def test_matching_names_hint_at_the_order() -> None:
    counts = [[0] * 8, [0] * 8]
    tables = [TABLE1["mars", "train"], TABLE1["mars", "test"]]
    assert matching_names(counts, tables) == {}
    for row, table in zip(counts, tables, strict=True):  # walking and riding exchanged
        row[0], row[1] = table[1], table[0]
    assert matching_names(counts, tables) == {"walking": ["riding"], "riding": ["walking"]}
