"""Every test that docs/promises.md names is there."""

import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
PAGE = (REPO / "docs" / "promises.md").read_text(encoding="utf-8")


def test_each_line_names_a_test_that_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)
    assert len(named) >= 101  # a promise is not taken back in silence
    for file, test in named:
        text = (REPO / file).read_text(encoding="utf-8")
        assert not test or re.search(rf"^def {test}\(", text, re.MULTILINE), f"{file}::{test}"


def test_each_line_of_a_table_names_one() -> None:
    tables = PAGE.split("## The campaign")[0]
    rows = [line for line in tables.splitlines() if line.startswith("| ") and "held by" not in line]
    assert len(rows) >= 61
    assert [row for row in rows if "`tests/" not in row] == []
