"""Gallery features by person in the plane: do the tracklets of a person lie together?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from reidar_plugin.report.figures.style import (
    INK,
    LINE,
    PALETTE,
    PAPER,
    add_foot,
    add_legend,
    add_title,
    check_report_libraries,
    new_chart,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["embedding_chart", "people_to_show", "project_people"]

DOT = 24.0  # square points


def people_to_show(pids: Sequence[int], people: int = 16, least: int = 10) -> list[int]:
    """The first people, in the order of their numbers, that have enough tracklets.

    ASA-Net, figure 7, shows the first 16 with 10 tracklets or more. Nobody (-1) and distractors (0) are no people.

    Args:
        pids: identity of each tracklet.
        people: how many people to show at most.
        least: tracklets that a person must have to be shown.
    """
    values, counts = np.unique(np.asarray(pids, dtype=np.int64), return_counts=True)
    enough = values[(values > 0) & (counts >= least)]
    return [int(pid) for pid in enough[:people]]


def project_people(features: Tensor, pids: Tensor, shown: Sequence[int]) -> tuple[np.ndarray, list[int]]:
    """Lay out the tracklets of some people in the plane, by scikit-learn's exact t-SNE; the same at every call.

    Args:
        features: feature of each tracklet, ``(N, D)``.
        pids: identity of each tracklet, ``(N,)``.
        shown: the people to show, such as :func:`people_to_show` chooses.

    Returns:
        A point for each tracklet of theirs, ``(n, 2)``, and the person that it belongs to.
    """
    kept = torch.isin(pids.cpu(), torch.tensor(list(shown)))
    count = int(kept.sum())
    if count < 6:
        raise ValueError(f"expected 6 tracklets or more of the people {list(shown)}, got {count}")
    check_report_libraries()
    from sklearn.manifold import TSNE

    layout = TSNE(perplexity=min(30.0, (count - 1) / 3), init="pca", method="exact", random_state=0)
    return layout.fit_transform(features.cpu()[kept].double().numpy()), pids.cpu()[kept].tolist()


def embedding_chart(
    points: np.ndarray,
    pids: Sequence[int],
    *,
    title: str = "Gallery features by person (t-SNE)",
    note: str = "",
) -> "Figure":
    """Draw points in the plane, a colour and a letter for each person; after eight people dots become rings.

    Args:
        points: where each tracklet lies, ``(N, 2)``.
        pids: the person of each tracklet.
        title: what stands above the chart.
        note: what stands below the chart.
    """
    where = np.asarray(points, dtype=np.float64)
    if where.shape != (len(pids), 2) or not len(pids):
        raise ValueError(f"expected points (N, 2) for {len(pids)} tracklets, got {where.shape}")
    figure, (axes,) = new_chart(420, 420)
    for index, pid in enumerate(sorted(set(pids))):
        color, letter = (
            PALETTE[index % 8],
            chr(ord("A") + index % 26) + (str(index // 26) if index >= 26 else ""),
        )
        mine = where[np.array(pids) == pid]
        inner, label = PAPER if index // 8 % 2 else color, f"{letter}  person {pid} ({len(mine)})"
        axes.scatter(mine[:, 0], mine[:, 1], DOT, inner, edgecolors=color, linewidths=1.5, label=label)
        top = mine[mine[:, 1].argmax()]
        axes.annotate(
            letter, top, (0, 5), textcoords="offset points", ha="center", color=INK, fontweight="bold"
        )
    axes.margins(0.08)
    axes.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
    axes.spines[:].set(visible=True, color=LINE)
    add_title(axes, title)
    add_legend(axes)
    add_foot(axes, note, 12)
    return figure
