"""What stands between the camera and the people: poles and bushes."""

import numpy as np

from reidar_plugin.synthped.drawing.colours import CameraColours
from reidar_plugin.synthped.drawing.sketch import Sketch
from reidar_plugin.synthped.drawing.view import View
from reidar_plugin.synthped.seeded_random import Array, SeededRandom

__all__ = ["bush", "draw_bush", "draw_pole"]

LEAVES = 130


def draw_pole(view: View, wide: float, colours: CameraColours) -> Sketch:
    """A pole that reaches beyond the upper edge of the picture.

    Args:
        view: where the foot of the pole is; its scale is the height of the picture.
        wide: radius of the pole, in picture heights.
        colours: how the camera sees colours.
    """
    sketch = Sketch(view)
    top = view.ground - np.array([0.0, 1.3]) * view.scale[:, None]
    sketch.part(0.0).limb([view.ground, top], [wide, wide], colours.ramp((112, 116, 116)))
    return sketch


def draw_bush(view: View, wide: float, high: float, random: SeededRandom, colours: CameraColours) -> Sketch:
    """A bush.

    Args:
        view: where the foot of the bush is; its scale is the height of the picture.
        wide: radius that hides what is behind, in picture heights.
        high: height of the bush, in picture heights.
        random: where the leaves grow.
        colours: how the camera sees colours.
    """
    sketch = Sketch(view)
    part = sketch.part(0.0)
    leaves, shades = bush(random, LEAVES)
    for leaf, shade in zip(leaves, shades, strict=True):
        points = view.ground[:, None] + leaf * np.array([2.2 * wide, high]) * view.scale[:, None, None]
        part.fill(points, colours.colour((78, 108, 62), shade))
    return sketch


def bush(random: SeededRandom, leaves: int) -> tuple[Array, list[float]]:
    """Leaves under a dome, the darker ones first.

    Returns:
        Outlines ``(L, 4, 2)`` relative to the foot of the bush, in bush heights (y down), and a shade for each leaf.
    """
    outlines, shades = [], []
    for leaf in range(leaves):
        lit = leaf / leaves
        x, y = random.uniform(-1.0, 1.0), random.uniform(0.0, 1.0)
        x *= 0.44 * (1.0 - 0.75 * y * y)  # a dome
        tilt, long = x * 1.6 + random.uniform(-0.5, 0.5), random.uniform(0.13, 0.22)
        dx, dy = tilt * long, -long
        px, py = -dy * 0.30, dx * 0.30
        steps = ((0.0, 0.0), (dx * 0.4 + px, dy * 0.4 + py), (dx, dy), (dx * 0.4 - px, dy * 0.4 - py))
        outlines.append([(x + a, b - 0.86 * y) for a, b in steps])
        shades.append(0.55 + 0.5 * lit + random.uniform(-0.06, 0.06))
    return np.array(outlines), shades
