"""What ``test.visrank`` draws: ranked tracklets, attention, masks, people in the plane, and how actions are recognised."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reidar_plugin.engine.evaluator import Evaluator, Side, Target, TestOutcome
from reidar_plugin.inference.features import checked_output
from reidar_plugin.io.console import say
from reidar_plugin.metrics.actions import ActionReport, Curve, precision_recall_curve
from reidar_plugin.metrics.distances import check_metric, pairwise_distances
from reidar_plugin.report.figures.action_attention import action_attention_picture
from reidar_plugin.report.figures.actions import confusion_chart, f1_chart, precision_recall_chart
from reidar_plugin.report.figures.attention import attention_picture
from reidar_plugin.report.figures.canvas import Canvas
from reidar_plugin.report.figures.embedding import embedding_chart, people_to_show, project_people
from reidar_plugin.report.figures.masks import masks_picture
from reidar_plugin.report.figures.ranked import RankedTracklet, ranked_picture
from reidar_plugin.report.figures.strips import ShownTracklet, spread
from reidar_plugin.report.figures.style import save_chart
from reidar_plugin.report.results import action_results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_test"]

CLIPS = 6  # of a tracklet, in a picture of attention
ACTION_CLIPS = 4  # of a tracklet, in a picture of the attention of its actions
ATTENTION = "Temporal attention, frames augmented as in training"


def draw_test(
    evaluator: Evaluator,
    outcome: TestOutcome,
    save_dir: str | Path,
    topk: int = 10,
    *,
    metric: str,
    normalize: bool,
) -> list[Path]:
    """Draw a test that has just been made, into ``<save_dir>/visrank_<target>``, as the host names it.

    Args:
        evaluator: the evaluator that made the test.
        outcome: what the test found.
        save_dir: folder of the run.
        topk: gallery tracklets shown for each query.
        metric: distance of the test, which ranks the tracklets that are shown; they are not re-ranked.
        normalize: whether features were brought to unit length.

    Returns:
        Paths of the pictures.

    Raises:
        ReidarError: the libraries of the extra ``report`` are missing.
    """
    paths = []
    note = ", not re-ranked" if any(result.reranked for result in outcome.retrieval) else ""
    for target, result in zip(outcome.targets, outcome.first, strict=True):
        folder = Path(save_dir) / f"visrank_{target.name}"
        valid, pictures = np.flatnonzero(result.retrieval.valid), evaluator.options.pictures
        for query in valid[spread(len(valid), pictures)].tolist() if pictures else []:
            name = f"query{query:05d}_person{int(target.query.table.pids[query])}"
            drawn = {
                "ranked": _ranked(evaluator, target, query, topk, metric, normalize, result.title + note),
                "attention": _attended(evaluator, target, query),
                "actions": _acted(evaluator, target, query),
                "masks": _masked(evaluator, target, query),
            }
            paths += [
                one.save(folder / f"{name}_{kind}.png") for kind, one in drawn.items() if one is not None
            ]
        people = people_to_show(target.gallery.tracklets().pids.tolist())
        if len(people) > 1:
            chart = _embedded(target, people, normalize, result.title)
            paths.append(save_chart(chart, folder / "embedding.png"))
    if outcome.actions is not None:
        charts = _action_charts(evaluator, outcome.targets, outcome.actions)
        paths += [
            save_chart(chart, Path(save_dir) / "actions" / f"{name}.png") for name, chart in charts.items()
        ]
    say(f"{len(paths)} pictures in {', '.join(sorted({str(path.parent) for path in paths}))}")
    return paths


def _ranked(
    evaluator: Evaluator, target: Target, query: int, topk: int, metric: str, normalize: bool, title: str
) -> Canvas:
    asked, searched = target.query.tracklets(), target.gallery.tracklets()
    one = asked.features[query : query + 1]
    distances = pairwise_distances(one, searched.features, check_metric(metric), normalize)[0]
    ignored = (searched.pids == asked.pids[query]) & (searched.camids == asked.camids[query])
    order = distances.masked_fill(ignored, float("inf")).argsort(stable=True)
    nearest = order[: min(topk, int((~ignored).sum()))].tolist()
    ranked = [
        RankedTracklet(_shown(evaluator, target.gallery, index), float(distances[index])) for index in nearest
    ]
    return ranked_picture(
        _shown(evaluator, target.query, query), ranked, evaluator.action_names(), title=title
    )


@torch.no_grad()
def _attended(evaluator: Evaluator, target: Target, query: int) -> Canvas | None:
    """A query's first clips as training would show them; None where all frames weigh the same by design."""
    source: Any = evaluator.data.test_loader[target.name]["query"].dataset
    clips = np.flatnonzero(source.plan.tracklets == query)[:CLIPS].tolist()
    device = evaluator.precision.device
    frames, erased = evaluator.data.augment(source.__getitems__(clips).frames.to(device), 0, query)
    with evaluator.precision.autocast():
        output = checked_output(evaluator.network(frames))
    if bool((output.scores == 1).all()):
        return None
    shown = _shown(evaluator, target.query, query)
    pixels = list(_pixels(frames, evaluator.data.normalise.scale, evaluator.data.normalise.offset))
    seen = ShownTracklet(pixels, shown.pid, shown.camid, shown.likelihoods, shown.given)
    weights = output.attention.float().cpu().numpy()
    return attention_picture(seen, weights, erased.cpu().numpy(), evaluator.action_names(), title=ATTENTION)


def _acted(evaluator: Evaluator, target: Target, query: int) -> Canvas | None:
    """Where actions are seen in a query's first clips; None for a model whose actions attend to no maps."""
    pixels, attention = _seen(evaluator, target, query, ACTION_CLIPS, "action_attention")
    if attention is None:
        return None
    shown = replace(_shown(evaluator, target.query, query), frames=pixels)
    return action_attention_picture(shown, attention, evaluator.action_names())


def _masked(evaluator: Evaluator, target: Target, query: int) -> Canvas | None:
    """Where attribute branches see the person in a query's first clips; None for a model without such masks."""
    pixels, masks = _seen(evaluator, target, query, CLIPS, "masks")
    if masks is None:
        return None
    names: tuple[str, ...] = ("ID-relevant", "ID-irrelevant")
    if masks.shape[2] != len(names):
        names = tuple(f"branch {number + 1}" for number in range(masks.shape[2]))
    return masks_picture(pixels, masks.reshape(-1, *masks.shape[2:]), names)


@torch.no_grad()
def _seen(
    evaluator: Evaluator, target: Target, query: int, clips: int, field: str
) -> tuple[list[np.ndarray], np.ndarray | None]:
    """Frames of a query's first clips, and a field of what the network returns for them; None without it."""
    source: Any = evaluator.data.test_loader[target.name]["query"].dataset
    seen = source.__getitems__(np.flatnonzero(source.plan.tracklets == query)[:clips].tolist()).frames
    with evaluator.precision.autocast():
        frames = evaluator.data.normalise(seen.to(evaluator.precision.device))
        found = getattr(evaluator.network(frames), field, None)
    pixels = list(seen.flatten(0, 1).numpy())  # uint8 (C, T, H, W, 3) -> C * T frames
    return pixels, None if found is None else found.float().cpu().numpy()


def _embedded(target: Target, people: Sequence[int], normalize: bool, title: str) -> "Figure":
    """The gallery's features of some people in the plane."""
    searched = target.gallery.tracklets()
    features = functional.normalize(searched.features) if normalize else searched.features
    note = f"Gallery tracklets of the first {len(people)} people with 10 or more."
    points, whose = project_people(features, searched.pids, people)
    return embedding_chart(points, whose, title=f"{title}: gallery features by person (t-SNE)", note=note)


def _action_charts(
    evaluator: Evaluator, targets: Sequence[Target], report: ActionReport
) -> dict[str, "Figure"]:
    """Charts of the actions over queries and galleries of all targets, by file name."""
    results = action_results(report)
    where = f"{' and '.join(target.name for target in targets)}, {report.known:,} tracklets"
    curves = dict(_curves(evaluator, targets))
    return {
        "confusion": confusion_chart(results, f"{where}: confusions"),
        "f1": f1_chart(results, f"{where}: F1 of each action"),
        "precision_recall": precision_recall_chart(curves, results, f"{where}: precision against recall"),
    }


def _pixels(frames: Tensor, scale: Tensor, offset: Tensor) -> Iterator[np.ndarray]:
    """Undo the normalisation: ``(N, T, 3, H, W)`` -> N * T frames of uint8 ``(H, W, 3)``."""
    rows = frames.flatten(0, 1).movedim(1, -1).float().cpu()
    yield from ((rows - offset) / scale).round().clamp(0, 255).to(torch.uint8).numpy()


def _shown(evaluator: Evaluator, side: Side, index: int) -> ShownTracklet:
    space: Any = evaluator.data.space
    table, likelihoods = side.table, side.outputs.likelihoods
    given = None if space is None else space.decode(table.labels[index].tolist())
    return ShownTracklet(
        table.paths[index],
        int(table.pids[index]),
        int(table.camids[index]),
        None if likelihoods is None else likelihoods[index].tolist(),
        None if given is None else sorted(given),
    )


def _curves(evaluator: Evaluator, targets: Sequence[Target]) -> Iterator[tuple[str, Curve]]:
    """The precision-recall curve of each action that the tests show."""
    scores, labels = evaluator.known_actions(targets)
    for column, name in enumerate(evaluator.action_names()):
        if labels[:, column].any():
            yield name, precision_recall_curve(scores[:, column].numpy(), labels[:, column].bool().numpy())
