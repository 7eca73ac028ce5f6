"""A paper's table beside what was run: one page without a script, whose groups of columns look different."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from reidar_plugin.report.page.content import Table
from reidar_plugin.report.page.render import render_page

__all__ = ["table_page"]


def table_page(
    title: str, warning: str, texts: Sequence[str], tables: Sequence[Table], groups: Mapping[str, str]
) -> str:
    """The page as HTML.

    Args:
        title: of the page.
        warning: what has to be said first; may be empty.
        texts: paragraphs before the tables.
        tables: columns that belong to a group are called ``<group>: <column>``.
        groups: title of each group -> its class, ``printed``, ``released`` or ``ours``.
    """
    shown = [_shown(table, groups) for table in tables]
    return render_page("table", {}, title=title, facts={}, warning=warning, texts=texts, tables=shown)


def _shown(table: Table, groups: Mapping[str, str]) -> dict[str, Any]:
    columns = []
    for name in table.columns:
        group, _, own = name.rpartition(": ")
        known = group in groups
        columns.append(
            {"group": group if known else "", "title": own if known else name, "kind": groups.get(group, "")}
        )
    heads = [
        {"title": title, "kind": kind, "width": len(list(members))}
        for (title, kind), members in groupby(columns, key=lambda column: (column["group"], column["kind"]))
    ]
    return {
        "title": table.title,
        "columns": columns,
        "groups": heads,
        "grouped": len(heads) > 1,
        "rows": table.rows,
        "notes": table.note.splitlines(),
    }
