"""What ``test.visrank`` draws: ranked tracklets, attention, and how actions are told."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reidar_plugin.engine.evaluator import Evaluator, Side, Target, TestOutcome
from reidar_plugin.inference.features import checked_output
from reidar_plugin.io.console import say
from reidar_plugin.metrics.actions import precision_recall_curve
from reidar_plugin.metrics.distances import check_metric, pairwise_distances
from reidar_plugin.report.figures.actions import confusion_picture, f1_picture, precision_recall_picture
from reidar_plugin.report.figures.attention import attention_picture
from reidar_plugin.report.figures.canvas import Canvas
from reidar_plugin.report.figures.embedding import embedding_picture, people_to_show, project_people
from reidar_plugin.report.figures.masks import masks_picture
from reidar_plugin.report.figures.ranked import RankedTracklet, ranked_picture
from reidar_plugin.report.figures.strips import ShownTracklet, spread
from reidar_plugin.report.results import action_results

__all__ = ["draw_test"]

CLIPS = 6  # of a tracklet, in a picture of attention
ATTENTION = "Temporal attention, frames augmented as in training"


def draw_test(
    evaluator: Evaluator,
    verdicts: TestOutcome,
    save_dir: str | Path,
    topk: int = 10,
    *,
    metric: str,
    normalize: bool,
) -> list[Path]:
    """Draw a test that has just been made, into ``<save_dir>/visrank_<target>``, as the host names it.

    Args:
        evaluator: that made it.
        verdicts: of the test.
        save_dir: of the run.
        topk: gallery tracklets shown of each query.
        metric, normalize: the distance of the test, which ranks them; not re-ranked.

    Returns:
        Paths of the pictures.
    """
    paths = []
    note = ", not re-ranked" if any(result.reranked for result in verdicts.retrieval) else ""
    for target, result in zip(verdicts.targets, verdicts.first, strict=True):
        folder = Path(save_dir) / f"visrank_{target.name}"
        valid = np.flatnonzero(result.retrieval.valid)
        chosen = (
            valid[spread(len(valid), evaluator.options.pictures)].tolist()
            if evaluator.options.pictures
            else []
        )
        for query in chosen:
            name = f"query{query:05d}_person{int(target.query.table.pids[query])}"
            picture = _ranked(evaluator, target, query, topk, metric, normalize, result.title + note)
            paths.append(picture.save(folder / f"{name}_ranked.png"))
            attended = _attended(evaluator, target, query)
            if attended is not None:
                paths.append(attended.save(folder / f"{name}_attention.png"))
            masked = _masked(evaluator, target, query)
            if masked is not None:
                paths.append(masked.save(folder / f"{name}_masks.png"))
        people = people_to_show(target.gallery.tracklets().pids.tolist())
        if len(people) > 1:
            paths.append(_embedded(target, people, normalize, result.title).save(folder / "embedding.png"))
    if verdicts.actions is not None:
        folder = Path(save_dir) / "actions"
        record = action_results(verdicts.actions)
        drawn = {"confusion": confusion_picture(record), "f1": f1_picture(record)}
        drawn["precision_recall"] = precision_recall_picture(dict(_curves(evaluator, verdicts)))
        paths += [picture.save(folder / f"{name}.png") for name, picture in drawn.items()]
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
        RankedTracklet(_shown(evaluator, target.gallery, place), float(distances[place])) for place in nearest
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


@torch.no_grad()
def _masked(evaluator: Evaluator, target: Target, query: int) -> Canvas | None:
    """Where attribute branches see the person in a query's first clips; None for a model without such masks."""
    source: Any = evaluator.data.test_loader[target.name]["query"].dataset
    clips = np.flatnonzero(source.plan.tracklets == query)[:CLIPS].tolist()
    seen = source.__getitems__(clips).frames  # uint8 (C, T, H, W, 3)
    with evaluator.precision.autocast():
        frames = evaluator.data.normalise(seen.to(evaluator.precision.device))
        masks = getattr(evaluator.network(frames), "masks", None)
    if masks is None:
        return None
    names: tuple[str, ...] = ("ID-relevant", "ID-irrelevant")
    if masks.shape[2] != len(names):
        names = tuple(f"branch {number + 1}" for number in range(masks.shape[2]))
    pixels = list(seen.flatten(0, 1).numpy())
    return masks_picture(pixels, masks.flatten(0, 1).float().cpu().numpy(), names)


def _embedded(target: Target, people: Sequence[int], normalize: bool, title: str) -> Canvas:
    """The gallery's features of some people in the plane."""
    searched = target.gallery.tracklets()
    features = functional.normalize(searched.features) if normalize else searched.features
    note = f"{title}: gallery tracklets of the first {len(people)} people with 10 or more"
    return embedding_picture(*project_people(features, searched.pids, people), note=note)


def _pixels(frames: Tensor, scale: Tensor, offset: Tensor) -> Iterator[np.ndarray]:
    """Undo the normalisation: ``(N, T, 3, H, W)`` -> N * T frames of uint8 ``(H, W, 3)``."""
    rows = frames.flatten(0, 1).movedim(1, -1).float().cpu()
    yield from ((rows - offset) / scale).round().clamp(0, 255).to(torch.uint8).numpy()


def _shown(evaluator: Evaluator, side: Side, place: int) -> ShownTracklet:
    space: Any = evaluator.data.space
    table, likelihoods = side.table, side.outputs.likelihoods
    given = None if space is None else space.decode(table.labels[place].tolist())
    return ShownTracklet(
        table.paths[place],
        int(table.pids[place]),
        int(table.camids[place]),
        None if likelihoods is None else likelihoods[place].tolist(),
        None if given is None else sorted(given),
    )


def _curves(evaluator: Evaluator, verdicts: TestOutcome) -> Iterator[tuple[str, Any]]:
    scores, labels = evaluator.known_actions(verdicts.targets)
    for column, name in enumerate(evaluator.action_names()):
        if labels[:, column].any():
            yield name, precision_recall_curve(scores[:, column].numpy(), labels[:, column].bool().numpy())
