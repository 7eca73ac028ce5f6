"""Gallery features by person in the plane: do the tracklets of a person lie together?"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from reidar_plugin.report.figures.canvas import INK, MUTED, PALETTE, PAPER, Canvas, tint
from reidar_plugin.report.figures.tsne import tsne

__all__ = ["embedding_picture", "people_to_show", "project_people"]

MARGIN, SIDE, LEGEND = 28.0, 420.0, 150.0
DOT = 6.0


def people_to_show(pids: Sequence[int], people: int = 16, least: int = 10) -> list[int]:
    """The first people, in the order of their numbers, that have enough tracklets.

    ASA-Net, figure 7, shows the first 16 with 10 tracklets or more. Nobody (-1) and distractors (0) are no people.

    Args:
        pids: identity of each tracklet.
        people: at most so many.
        least: tracklets that a person must have.
    """
    values, counts = np.unique(np.asarray(pids, dtype=np.int64), return_counts=True)
    return [int(pid) for pid, count in zip(values, counts, strict=True) if pid > 0 and count >= least][
        :people
    ]


def project_people(features: Tensor, pids: Tensor, shown: Sequence[int]) -> tuple[Tensor, list[int]]:
    """Lay out the tracklets of some people in the plane, by t-SNE.

    Args:
        features: ``(N, D)``.
        pids: ``(N,)``.
        shown: people, such as :func:`people_to_show` chooses.

    Returns:
        Points ``(n, 2)`` and the person of each.
    """
    kept = torch.isin(pids.cpu(), torch.tensor(list(shown)))
    count = int(kept.sum())
    if count < 6:
        raise ValueError(f"expected 6 tracklets or more of the people {list(shown)}, got {count}")
    points = tsne(features.cpu()[kept], perplexity=min(30.0, (count - 1) / 3))
    return points, pids.cpu()[kept].tolist()


def embedding_picture(points: Tensor, pids: Sequence[int], *, title: str = "", note: str = "") -> Canvas:
    """Draw points in the plane, a colour and a letter a person; after eight people dots become rings.

    Args:
        points: ``(N, 2)``.
        pids: the person of each.
        title, note: above and below the picture.
    """
    where = np.asarray(points, dtype=np.float64)
    if where.shape != (len(pids), 2) or not len(pids):
        raise ValueError(f"expected points (N, 2) for {len(pids)} tracklets, got {where.shape}")
    people = sorted(set(pids))
    canvas = Canvas(2 * MARGIN + SIDE + LEGEND, 2 * MARGIN + SIDE + 60)
    canvas.text(MARGIN, MARGIN - 4, title or "Gallery features by person (t-SNE)", 15, bold=True)
    top = MARGIN + 28
    canvas.box(MARGIN, top, SIDE, SIDE, outline=tint(INK, 0.2), line=0.75)
    low, high = where.min(axis=0), where.max(axis=0)
    places = (where - (low + high) / 2) / (max(*(high - low), 1e-9)) * (SIDE - 4 * DOT) + SIDE / 2
    names = {pid: _letters(place) for place, pid in enumerate(people)}
    for place, pid in enumerate(people):
        color, ring = PALETTE[place % len(PALETTE)], place // len(PALETTE) % 2 == 1
        mine = places[np.array(pids) == pid]
        for x, y in mine.tolist():
            _dot(canvas, MARGIN + x, top + y, color, ring)
        row = top + 10 + 18 * place
        _dot(canvas, MARGIN + SIDE + 20, row, color, ring)
        canvas.text(MARGIN + SIDE + 32, row, f"{names[pid]}  person {pid} ({len(mine)})", 10.5, INK, "lm")
    for pid in people:  # after all dots, so that none hides a letter
        mine = places[np.array(pids) == pid]
        x, y = mine[mine[:, 1].argmin()].tolist()
        canvas.text(MARGIN + x, top + y - DOT / 2 - 2, names[pid], 11, INK, "mb", bold=True)
    if note:
        canvas.text(MARGIN, top + SIDE + 12, note, 10, MUTED)
    return canvas


def _dot(canvas: Canvas, x: float, y: float, color: tuple[int, int, int], ring: bool) -> None:
    corner = x - DOT / 2, y - DOT / 2
    canvas.box(*corner, DOT, DOT, PAPER if ring else color, outline=color, line=1.5, radius=DOT / 2)


def _letters(place: int) -> str:
    """A, B, ... Z, A1, B1, ..."""
    return chr(ord("A") + place % 26) + (str(place // 26) if place >= 26 else "")
