"""What tells who somebody is, or what they do, and is not the person: backgrounds, sizes of files, numbers of frames."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from reidar_plugin.data.tracklets import Tracklet
from reidar_plugin.synthped.actions import ACTIONS
from reidar_plugin.synthped.plan import Plan
from reidar_plugin.synthped.render import Renderer
from reidar_plugin.synthped.seeded_random import Array

from .drawn_set import DrawnSet
from .ranking import by_camera, camids_of, cross_camera, distances

__all__ = ["leaks", "mean_recall", "tells_what"]


def leaks(drawn: DrawnSet) -> Iterator[tuple[str, str, str, str]]:
    """What can be told by something else than the person, beside the same with people dealt out anew.

    Who: rank-1 among the tracklets of other cameras. What: mean recall of a linear classifier that has learnt on the
    training people, for the eight actions, and for riding or not.
    """
    parts = {"train": drawn.parts["train"], "test": drawn.test()}
    scenes = empty_scenes(drawn.plan)
    for name, feature in (
        ("background, drawn without the person", lambda t: scenes[t.key][:-4]),
        ("sizes of files drawn without the person", lambda t: scenes[t.key][-4:]),
        ("upper corners of the picture", corners),
        ("sizes of the files", sizes),
        ("number of frames", lengths),
    ):
        rows = {half: by_camera(np.array([feature(t) for t in part], np.float64), camids_of(part))
                for half, part in parts.items()}  # fmt: skip
        yield name, "who", *tells_who(rows["test"], parts["test"], len(drawn.parts["query"]))
        labels = {half: np.array([drawn.labels[t.pid] for t in part]) for half, part in parts.items()}
        for what, actions in (("actions", ACTIONS), ("riding", ("riding",))):
            yield "", what, *tells_what(rows, labels, actions, parts["test"])


def tells_who(features: Array, test: list[Tracklet], queries: int) -> tuple[str, str]:
    """Rank-1 across cameras, and where 95 % of 200 shuffles of the people within each camera fall."""
    distance, camids = distances(features, queries), camids_of(test)
    found = cross_camera(distance, np.array([t.pid for t in test]), camids, queries)
    return beside(
        found, [cross_camera(distance, shuffled(test, seed), camids, queries) for seed in range(200)]
    )


def shuffled(test: list[Tracklet], seed: int) -> Array:
    """People dealt out anew among the tracklets of each camera."""
    generator = np.random.default_rng(seed)
    pids, camids = np.array([t.pid for t in test]), np.array([t.camid for t in test])
    for camid in np.unique(camids):
        pids[camids == camid] = generator.permutation(pids[camids == camid])
    return pids


def tells_what(
    rows: dict[str, Array], labels: dict[str, Array], actions: Sequence[str], test: list[Tracklet]
) -> tuple[str, str]:
    """Mean recall of a linear classifier, others than ``actions`` in one class, and of 200 shuffles of the test people."""
    names = list(actions)
    classes = {half: np.array([names.index(x) if x in names else len(names) for x in of.tolist()])
               for half, of in labels.items()}  # fmt: skip
    guess = linear_classes(rows["train"], classes["train"], rows["test"])
    of_person = {t.pid: answer for t, answer in zip(test, classes["test"].tolist(), strict=True)}
    people = sorted(of_person)
    chance = []
    for seed in range(200):
        order = np.random.default_rng(seed).permutation(len(people)).tolist()
        dealt = {person: of_person[people[index]] for person, index in zip(people, order, strict=True)}
        chance.append(mean_recall(guess, np.array([dealt[t.pid] for t in test])))
    return beside(mean_recall(guess, classes["test"]), chance)


def beside(found: float, chance: list[float]) -> tuple[str, str]:
    low, high = np.quantile(chance, (0.025, 0.975))
    return f"{found:.2f}", f"{low:.2f} ... {high:.2f}"


def linear_classes(rows: Array, classes: Array, others: Array) -> Array:
    """Classes of ``others`` by ridge regression on those of ``rows``, in which every class weighs the same."""
    mean, spread = rows.mean(0), rows.std(0) + 1e-9
    known, asked = (np.hstack([(x - mean) / spread, np.ones((len(x), 1))]) for x in (rows, others))
    weight = 1.0 / np.bincount(classes)[classes]
    targets = np.eye(classes.max() + 1)[classes]
    square = known.T @ (known * weight[:, None]) + 0.05 * np.eye(known.shape[1])
    return (asked @ np.linalg.solve(square, known.T @ (targets * weight[:, None]))).argmax(1)


def mean_recall(guess: Array, classes: Array) -> float:
    return 100 * float(np.mean([(guess[classes == one] == one).mean() for one in np.unique(classes)]))


def empty_scenes(plan: Plan) -> dict[str, Array]:
    """Up to 8 frames of each tracklet drawn again, alike but for the person and who is held by the hand, who are left out.

    Returns:
        By key: mean colours and local contrast of 8 x 4 fields, then mean, spread, least and largest size as JPEG.
    """
    renderer, scenes = Renderer(plan), {}
    for shot in plan.shots:
        if shot.person >= 0:
            script = replace(renderer.script(shot), cast=[])
            pictures = list(renderer.pictures(shot, script))[:: max(1, shot.length // 8)]
            fields = [cv2.resize(picture, (4, 8), interpolation=cv2.INTER_AREA) for picture in pictures]
            edges = [cv2.resize(cv2.absdiff(picture, cv2.blur(picture, (5, 5))), (4, 8), interpolation=cv2.INTER_AREA)
                     for picture in pictures]  # fmt: skip
            bytes_ = np.array([len(renderer.encode(shot, picture)) for picture in pictures])
            look = [np.mean(patches, axis=0).ravel() for patches in (fields, edges)]
            scenes[shot.key] = np.concatenate(
                [*look, [bytes_.mean(), bytes_.std(), bytes_.min(), bytes_.max()]]
            )
    return scenes


def corners(tracklet: Tracklet) -> Array:
    """Mean and spread of both upper corners over up to 8 frames: background, and nobody's body."""
    rows = []
    for path in tracklet.paths[:: max(1, len(tracklet.paths) // 8)]:
        image = cv2.imread(path).astype(np.float64)
        high, wide = round(image.shape[0] * 0.12), round(image.shape[1] * 0.12)
        patches = (image[:high, :wide], image[:high, -wide:])
        rows.append([value for patch in patches for value in (*patch.mean((0, 1)), *patch.std((0, 1)))])
    return np.mean(rows, axis=0)


def sizes(tracklet: Tracklet) -> Array:
    values = np.array([Path(path).stat().st_size for path in tracklet.paths])
    return np.array([values.mean(), values.std(), values.min(), values.max()])


def lengths(tracklet: Tracklet) -> Array:
    return np.array([len(tracklet.paths)])
