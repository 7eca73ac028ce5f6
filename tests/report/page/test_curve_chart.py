"""Points of a curve where a logarithmic axis has them."""

import re

from reidar_plugin.report.page.content import Curve
from reidar_plugin.report.page.curve_chart import curve_chart


def test_points() -> None:
    chart = curve_chart([Curve("MARS usual", [1, 10, 100], [0.0, 0.5, 1.0])])
    (line,) = chart["lines"]
    points = [tuple(map(float, pair)) for pair in re.findall(r"([\d.]+) ([\d.]+)", line["path"])]
    assert points == [
        (44.0, 262.0),
        (337.0, 135.0),
        (630.0, 8.0),
    ]  # the middle of a decade apart is the middle
    assert [tick["text"] for tick in chart["x_ticks"]] == ["1", "2", "5", "10", "20", "50", "100"]
    assert chart["x_ticks"][3]["at"] == 337.0
    assert "MARS usual 0.0%" in chart["label"]


def test_all_at_rank_one() -> None:
    chart = curve_chart([Curve("easy", [1], [1.0])])
    assert chart["lines"][0]["path"] == "M44.0 8.0"
