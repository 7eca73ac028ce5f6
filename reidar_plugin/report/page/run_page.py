"""The report of a test: figures, curves, pictures, and how each query was answered."""

from typing import Any

from reidar_plugin.report.page.content import Query, RunReport
from reidar_plugin.report.page.curve_chart import curve_chart
from reidar_plugin.report.page.render import data_uri, render_page

__all__ = ["run_page"]


def run_page(report: RunReport) -> str:
    """The page as HTML."""
    protocols = list(dict.fromkeys(query.protocol for query in report.queries))
    data = {
        "protocols": protocols,
        "queries": [_row(row, query, protocols) for row, query in enumerate(report.queries)],
        "answers": [{"title": each.title, "src": data_uri(each.image)} for each in report.answers],
    }
    return render_page(
        "run",
        data,
        title=report.title,
        facts=report.facts,
        tables=report.tables,
        chart=curve_chart(report.curves) if report.curves else None,
        drawings=[{"title": each.title, "uri": data_uri(each.image)} for each in report.drawings],
        left_out=report.left_out,
    )


def _row(row: int, query: Query, protocols: list[str]) -> dict[str, Any]:
    return {
        "row": row,
        "protocol": protocols.index(query.protocol),
        "person": query.person,
        "number": query.number,
        "first": query.first_match,
        "figures": dict(query.figures),
        "drawings": list(query.drawings),
    }
