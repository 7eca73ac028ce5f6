"""Bushes in the foreground."""

import numpy as np

from .dice import Array, Dice

__all__ = ["plant_leaves"]


def plant_leaves(dice: Dice, leaves: int) -> tuple[Array, list[float]]:
    """A bush round its foot.

    Returns:
        Outlines of leaves ``(L, 4, 2)`` in parts of its height (y down), the darker ones first, and their shades.
    """
    outlines, shades = [], []
    for leaf in range(leaves):
        lit = leaf / leaves
        x, y = dice.uniform(-1.0, 1.0), dice.uniform(0.0, 1.0)
        x *= 0.44 * (1.0 - 0.75 * y * y)  # a dome
        tilt, long = x * 1.6 + dice.uniform(-0.5, 0.5), dice.uniform(0.13, 0.22)
        dx, dy = tilt * long, -long
        px, py = -dy * 0.30, dx * 0.30
        steps = ((0.0, 0.0), (dx * 0.4 + px, dy * 0.4 + py), (dx, dy), (dx * 0.4 - px, dy * 0.4 - py))
        outlines.append([(x + a, b - 0.86 * y) for a, b in steps])
        shades.append(0.55 + 0.5 * lit + dice.uniform(-0.06, 0.06))
    return np.array(outlines), shades
