"""The figures of the papers, against the papers."""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
import yaml

from reidar_plugin.errors import ConfigError
from reidar_plugin.report import published
from reidar_plugin.report.published import PublishedTable, published_table, published_tables
from tests.standin import REPO

#: The text of each paper, and whether captions stand below their tables.
TEXTS = {"re-id-ar": ("000", True), "s2dn": ("001", False), "vprft": ("003", True), "asanet": ("004", False)}
IN_PAPERS = [name for name, table in published_tables().items() if table.paper]


def plain(text: str) -> str:
    """Words of a line of a table: without tags, citations, brackets, plus signs, and the dashes of empty cells."""
    text = (
        re.sub(r"<[^>]+>|\[\d+\]|\$", "", text).replace("\\checkmark", "x").replace("L_{center}", "L_center")
    )
    text = text.replace("\N{CYRILLIC SMALL LETTER A}", "a").replace("\\*", "*")
    return " ".join(word for word in re.sub(r"[()+]", " ", text).split() if word not in ("-", "–"))


def blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Tables of a text: where each starts, and its rows that hold figures."""
    text = re.sub(r"</t[dh]>\s*<t[dh]>", "\t", text)  # one of the texts has its tables in HTML
    text = re.sub(r"<tr>\s*|\s*</tr>|</?t(able|head|body)[^>]*>\n?", "", text)
    lines = text.splitlines()
    for tabular, numbered in groupby(enumerate(lines), lambda pair: "\t" in pair[1]):
        rows = list(numbered)
        if tabular:
            yield rows[0][0], [line for _, line in rows if re.search(r"\d\.\d", plain(line))]
        else:
            yield from ((number, [line]) for number, line in rows if line.strip())


def printed(table: PublishedTable, folder: Path) -> list[str]:
    """Rows of a table of a paper."""
    number, below = TEXTS[table.name.split("/")[0]]
    (path,) = folder.glob(f"{number}_*.txt")
    found = list(blocks(path.read_text(encoding="utf-8")))
    (place,) = (
        i for i, (_, rows) in enumerate(found) if len(rows) == 1 and rows[0].startswith(table.heading)
    )
    around = found[place - 1 :: -1] if below else found[place + 1 :]
    return [plain(row) for row in next(rows for _, rows in around if "\t" in rows[0])]


@pytest.mark.shared
@pytest.mark.parametrize("name", IN_PAPERS)
def test_every_figure_is_what_the_paper_prints(name: str, shared: Path) -> None:
    if not (shared / "seeds").is_dir():
        pytest.skip("the papers are not beside this checkout")
    table = published_table(name)
    ours = []
    for _, cells in groupby(table.cells, lambda cell: cell.row):
        row = list(cells)
        ours.append(" ".join([plain(row[0].line), *(text for cell in row for text in cell.printed.values())]))
    assert ours == printed(table, shared / "seeds")


def test_the_tables_that_are_asked_for_are_there() -> None:
    expected = [f"re-id-ar/{n}" for n in (3, 4, 5, 6, 7)] + ["re-id-ar/supplementary-2"]
    expected += [f"s2dn/{n}" for n in range(1, 6)] + ["vprft/1", "vprft/2"]
    expected += [f"asanet/{n}" for n in range(1, 8)] + ["systems"]
    assert set(expected) <= set(published_tables())
    with pytest.raises(ConfigError, match=r"unknown table 're-id-ar/8'; did you mean"):
        published_table("re-id-ar/8")


def test_cells_can_be_run_or_say_why_not() -> None:
    for table in published_tables().values():
        assert table.was
        for cell in table.cells:
            assert bool(cell.ours) != bool(cell.why) or cell.part == "memory", (table.name, cell)
            for config in re.split(
                " > | on ", f"{cell.ours} > {cell.released}" if cell.released else cell.ours
            ):
                assert not config or (REPO / "configs" / config).is_file(), config


def test_a_row_with_too_many_or_too_few_figures_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = yaml.safe_load((REPO / "reidar_plugin/report/published.yml").read_text())
    tree["tables"] = {"re-id-ar/6": tree["tables"]["re-id-ar/6"]}
    row = tree["tables"]["re-id-ar/6"]["rows"][2]
    monkeypatch.setattr(published, "FIGURES", tmp_path / "published.yml")
    for figures in ("92.50", "92.50 87.03 1.0"):
        row["printed"] = figures
        published.FIGURES.write_text(yaml.safe_dump(tree))
        with pytest.raises(ValueError, match=r"lambda 0\.4: expected 2 figures, got [13]"):
            published_tables.__wrapped__()


def test_a_cited_figure_is_that_of_its_table() -> None:
    tea = next(cell for cell in published_table("systems").cells if cell.row == "TEA")
    assert tea.printed == published_table("re-id-ar/supplementary-1").cells[1].printed
    assert tea.doubt.startswith("printed in re-id-ar/supplementary-1; ")
