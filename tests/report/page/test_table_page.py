"""The page of a paper's table."""

import re

import pytest

from reidar_plugin.report.page.content import Table
from reidar_plugin.report.page.table_page import table_page

pytest.importorskip("jinja2")


def test_columns_are_grouped_and_look_different() -> None:
    columns = ["row", "PAPER: rank-1", "PAPER: mAP", "HERE, ours: rank-1", "notes"]
    tables = [
        Table("Lambda", columns, [["0.8", "93.37", "87.28", "<b>40</b>", "[1]"]], "[1] doubt"),
        Table("Protocols", ["row", "mAP"], [["0.8", "4"]]),
    ]
    page = table_page(
        "Six",
        "Not a reproduction",
        ["Printed under: usual"],
        tables,
        {"PAPER": "printed", "HERE, ours": "ours"},
    )
    heads = re.findall(r'<th scope="colgroup" colspan="(\d)" class="(\w*)">([^<]*)</th>', page)
    assert heads == [("1", "", ""), ("2", "printed", "PAPER"), ("1", "ours", "HERE, ours"), ("1", "", "")]
    assert re.findall(r'<td class="(\w*)">([^<]*)</td>', page)[:4] == [
        ("printed", "93.37"),
        ("printed", "87.28"),
        ("ours", "&lt;b&gt;40&lt;/b&gt;"),
        ("", "[1]"),
    ]
    assert page.count('scope="colgroup"') == 4  # the second table has no groups
    assert "<script" not in page
    assert "script-src 'none'" in page
    assert "Not a reproduction" in page
    assert "[1] doubt" in page
