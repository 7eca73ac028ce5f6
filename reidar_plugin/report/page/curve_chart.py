"""Curves of shares over ranks as paths of an SVG, which the page draws in its own colours."""

import math
from collections.abc import Sequence
from typing import Any

from reidar_plugin.report.page.content import Curve

__all__ = ["curve_chart"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 630.0, 8.0, 262.0


def curve_chart(curves: Sequence[Curve]) -> dict[str, Any]:
    """Paths and ticks: ranks from 1 on a logarithmic axis to the right, shares from 0 to 1 upwards."""
    most = max(2.0, *(max(curve.x) for curve in curves))

    def across(rank: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * math.log(rank) / math.log(most), 1)

    def up(share: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * share, 1)

    ticks = [rank for rank in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000) if rank <= most]
    firsts = ", ".join(f"{curve.name} {curve.y[0]:.1%}" for curve in curves)
    return {
        "label": f"Share of queries with a right answer by rank; at rank 1: {firsts}",
        "x_ticks": [{"at": across(rank), "text": f"{rank:,}"} for rank in ticks],
        "y_ticks": [{"at": up(share), "text": f"{share:.0%}"} for share in (0, 0.25, 0.5, 0.75, 1)],
        "lines": [
            {
                "name": curve.name,
                "path": "M" + "L".join(f"{across(x)} {up(y)}" for x, y in zip(curve.x, curve.y, strict=True)),
            }
            for curve in curves
        ],
    }
