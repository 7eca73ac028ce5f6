"""What the papers print, and which configs are their rows: ``published.yml``, the one place that holds figures of papers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from reidar_plugin.errors import ConfigError, nearest

__all__ = ["Cell", "PublishedTable", "published_table", "published_tables"]

FIGURES = Path(__file__).with_name("published.yml")


@dataclass(frozen=True)
class Cell:
    """A row of a paper's table in one of its groups of columns, such as ``8 frames`` on ``PRID2011``."""

    row: str
    part: str  #: group of columns; empty where the table has one
    printed: Mapping[str, str]  #: figure -> as it is printed; figures that the paper leaves out are missing
    ours: str = ""  #: config, ``A > B`` or ``A on B``; empty where it cannot be run
    released: str = ""  #: config with the conditions of the released code
    variant: str = ""  #: of the table's bench, on SynthPed
    protocol: str = ""  #: under which ours is read on MARS
    why: str = ""  #: it cannot be run
    doubt: str = ""  #: what speaks against the figure
    line: str = ""  #: how the row starts in the paper

    @property
    def name(self) -> str:
        """Row and part."""
        return f"{self.row}: {self.part}" if self.part else self.row


@dataclass(frozen=True)
class PublishedTable:
    """A table of a paper."""

    name: str  #: such as ``re-id-ar/6``
    title: str
    paper: str  #: who wrote it, and where; empty for a table of no paper
    heading: str  #: words of its caption
    section: str
    was: tuple[str, ...]  #: how the printed figures were taken, as far as known
    note: str
    rerank: bool  #: it has re-ranked figures, which need a test of their own
    bench: str  #: file of variants that it is on SynthPed
    figures: tuple[str, ...]  #: in the order of its columns
    cells: tuple[Cell, ...]


def published_table(name: str) -> PublishedTable:
    """A table by its name.

    Raises:
        ConfigError: there is no such table; the message names those that there are.
    """
    tables = published_tables()
    if name not in tables:
        raise ConfigError(f"unknown table {name!r};{nearest(name, tables)} there are {', '.join(tables)}")
    return tables[name]


@cache
def published_tables() -> dict[str, PublishedTable]:
    """All tables, in the order of the file."""
    content = yaml.safe_load(FIGURES.read_text(encoding="utf-8"))
    tables: dict[str, PublishedTable] = {}
    for name, tree in content["tables"].items():
        cells = tuple(cell for row in tree["rows"] for cell in _cells(tree, row, tables))
        columns = [figure for figures in tree["parts"].values() for figure in figures]
        tables[name] = PublishedTable(
            name=name,
            title=tree["title"],
            paper=content["papers"].get(tree.get("paper"), ""),
            heading=tree.get("heading", ""),
            section=tree.get("section", ""),
            was=tuple(tree["was"]),
            note=tree.get("note", ""),
            rerank=tree.get("rerank", False),
            bench=tree.get("bench", ""),
            figures=tuple(dict.fromkeys([*columns, *(figure for cell in cells for figure in cell.printed)])),
            cells=cells,
        )
    return tables


def _cells(
    tree: Mapping[str, Any], row: Mapping[str, Any], tables: Mapping[str, PublishedTable]
) -> Iterator[Cell]:
    """The row in each part of its table; parts of which nothing is printed and nothing can be run are left out."""
    if "cite" in row:
        yield _cited(tree, row, tables)
        return
    columns = [(part, figure) for part, figures in tree["parts"].items() for figure in figures]
    values = row["printed"].split()
    if len(values) != len(columns):
        raise ValueError(f"{row['row']}: expected {len(columns)} figures, got {len(values)}")
    for part in tree["parts"]:
        printed = {
            name: text for (of, name), text in zip(columns, values, strict=True) if of == part and text != "-"
        }
        cell = _cell(tree, row, part, printed)
        if cell.printed or cell.ours or cell.variant:
            yield cell


def _cell(tree: Mapping[str, Any], row: Mapping[str, Any], part: str, printed: Mapping[str, str]) -> Cell:
    return Cell(
        row=row["row"],
        part=part,
        printed=printed,
        ours=_of_part(row.get("ours", ""), part),
        released=_of_part(row.get("released", ""), part),
        variant=row.get("variant", ""),
        protocol=row.get("protocol", {}).get(part, tree.get("protocol", "")),
        why=row.get("why", ""),
        doubt=row.get("doubt", ""),
        line=row.get("line", row["row"]),
    )


def _cited(tree: Mapping[str, Any], row: Mapping[str, Any], tables: Mapping[str, PublishedTable]) -> Cell:
    """A cell of another table, with what this row says of its own."""
    table, name, part = row["cite"]
    (there,) = (cell for cell in tables[table].cells if (cell.row, cell.part) == (name, part))
    own = _cell(tree, row, "", there.printed)
    return replace(own, doubt="; ".join(filter(None, (f"printed in {table}", own.doubt or there.doubt))))


def _of_part(value: str | Mapping[str, str], part: str) -> str:
    return value if isinstance(value, str) else value.get(part, "")
