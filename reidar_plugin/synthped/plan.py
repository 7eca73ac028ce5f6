"""The plan of a set: who is seen by which camera, how often and for how long, decided before anything is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from reidar_plugin.errors import ConfigError
from reidar_plugin.synthped.actions import action_shares, hand_out
from reidar_plugin.synthped.people.looks import Look, dress_all
from reidar_plugin.synthped.presets import Preset, tracklet_lengths
from reidar_plugin.synthped.seeded_random import SeededRandom

__all__ = ["DISTRACTOR", "JUNK", "Plan", "Shot", "plan_lpw", "plan_mars"]

DISTRACTOR, JUNK = 0, -1

CAMERAS_OF_A_PERSON = {"train": (6, 221, 184, 137, 55, 22), "test": (8, 213, 202, 132, 54, 25)}
"""People of MARS who are seen by 1, 2, ... 6 cameras."""
CROWD_OF_A_CAMERA = (1816, 1957, 1321, 750, 1880, 574)
"""Training tracklets of MARS in each camera."""


@dataclass(frozen=True)
class Shot:
    """A tracklet to be drawn."""

    split: str  #: train, test
    pid: int  #: DISTRACTOR, JUNK, or the number of a person, from 1 (of a scene, in LPW)
    camera: int  #: from 1
    number: int  #: counts the tracklets of a person
    length: int  #: number of frames
    label: str  #: the weak action label; empty for distractors and junk
    folder: str  #: of its pictures, inside the set
    prefix: str  #: of the names of its pictures
    key: str  #: its name in label files
    person: int  #: index of its look in the crowd of the split; -1 for strangers and junk

    def name(self, frame: int) -> str:
        """File name of a frame, counted from 1."""
        return f"{self.prefix}{frame:03d}.jpg" if self.prefix else f"{frame:05d}.jpg"


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before drawing."""

    layout: str  #: mars, lpw
    seed: int
    cameras: int  #: number of cameras
    size: tuple[int, int]  #: height and width of the pictures
    crowds: dict[str, list[Look]]  #: the people of each split
    labels: dict[str, list[str]]  #: the weak action labels of the people of each split (MARS)
    shots: list[Shot]
    queries: list[int]  #: indices into the tracklets of the test split (MARS)


def plan_mars(preset: Preset, seed: int, shares: str = "paper") -> Plan:
    """Plan a set as MARS is: labels of people, up to six cameras, distractors, junk, a query for each person and camera.

    For each test tracklet of known people there are as many distractors and junk as in MARS (3,248 and 870 to 8,062).

    Args:
        preset: how large the set is.
        seed: decides everything random.
        shares: frequencies of the actions, ``paper`` or ``even``.
    """
    crowds, labels, shots = {}, {}, []
    first = {"train": 1, "test": 2}
    for split, number, total in zip(("train", "test"), preset.people, preset.tracklets, strict=True):
        crowds[split] = dress_all(number, seed, split)
        weights = action_shares("mars", split, shares)
        labels[split] = hand_out(weights, number, SeededRandom(seed, "actions", split))
        if split == "test":
            shots += _strangers(preset, seed)
        pids = range(first[split], 2 * number + first[split], 2)  # odd people train, even people are tested
        shots += _known(split, pids, labels[split], total, preset, seed)
    test = [shot for shot in shots if shot.split == "test"]
    return Plan("mars", seed, preset.cameras, preset.size, crowds, labels, shots, _queries(test, seed))


def _strangers(preset: Preset, seed: int) -> list[Shot]:
    """Tracklets of distractors and junk."""
    shots = []
    for kind, pid, share, name in (("junk", JUNK, 870, "00-1"), ("distractor", DISTRACTOR, 3248, "0000")):
        count = preset.tracklets[1] * share // 8062
        lengths = tracklet_lengths(kind, count, preset.stretch, SeededRandom(seed, "lengths", kind))
        random = SeededRandom(seed, "cameras", kind)
        cameras = sorted(random.integer(1, preset.cameras) for _ in range(count))
        shots += [
            _mars_shot("test", pid, name, camera, number, length, "", -1)
            for number, (camera, length) in enumerate(zip(cameras, lengths, strict=True), start=1)
        ]
    return shots


def _known(
    split: str, pids: Sequence[int], labels: list[str], total: int, preset: Preset, seed: int
) -> list[Shot]:
    """Tracklets of the people of a split: one in each camera that sees them, and the rest unevenly spread."""
    seen = _seen_by(split, len(pids), preset, seed)
    counts = [(person, camera) for person, cameras in enumerate(seen) for camera in cameras]
    random = SeededRandom(seed, "tracklets", split)
    if total < len(counts):
        raise ConfigError(
            f"tracklets of the {split} people must be at least {len(counts)} (one in each camera), got {total}"
        )
    weights = [1.0 / (0.12 + random.uniform()) - 0.85 for _ in counts]
    more = _share_out(total - len(counts), weights)
    lengths = iter(tracklet_lengths(split, total, preset.stretch, SeededRandom(seed, "lengths", split)))
    shots, number, last = [], 0, -1
    for (person, camera), extra in zip(counts, more, strict=True):
        number = number if person == last else 0
        last = person
        for _ in range(1 + extra):
            number += 1
            name, label = f"{pids[person]:04d}", labels[person]
            shots.append(_mars_shot(split, pids[person], name, camera, number, next(lengths), label, person))
    return shots


def _mars_shot(
    split: str, pid: int, name: str, camera: int, number: int, length: int, label: str, person: int
) -> Shot:
    key = f"{name}C{camera}T{number:04d}"
    return Shot(split, pid, camera, number, length, label, f"bbox_{split}/{name}", f"{key}F", key, person)


def _seen_by(split: str, number: int, preset: Preset, seed: int) -> list[list[int]]:
    """Cameras that see each person: as many as in MARS, and the busier ones more often."""
    shares = list(CAMERAS_OF_A_PERSON[split][: preset.cameras])
    shares[-1] += sum(CAMERAS_OF_A_PERSON[split][preset.cameras :])
    counts = _share_out(number, [float(share) for share in shares])
    sizes = [size for size, count in enumerate(counts, 1) for _ in range(count)]
    random = SeededRandom(seed, "seen", split)
    people = []
    for index in random.permutation(number):
        free = list(range(1, preset.cameras + 1))
        seen = []
        for _ in range(sizes[index]):
            seen.append(random.choice(free, [CROWD_OF_A_CAMERA[(camera - 1) % 6] for camera in free]))
            free.remove(seen[-1])
        people.append(sorted(seen))
    return people


def _share_out(number: int, weights: list[float]) -> list[int]:
    """Whole numbers in the proportion of the weights that add up to ``number`` (largest remainders)."""
    total = 0.0
    for weight in weights:
        total += weight
    exact = [number * weight / total for weight in weights]
    counts = [int(value) for value in exact]
    rest = sorted(range(len(weights)), key=lambda i: (counts[i] - exact[i], i))[: number - sum(counts)]
    for index in rest:
        counts[index] += 1
    return counts


def _queries(test: list[Shot], seed: int) -> list[int]:
    """One tracklet of each person in each camera, for people whom two cameras or more have seen."""
    random = SeededRandom(seed, "queries")
    groups: dict[int, dict[int, list[int]]] = {}
    for index, shot in enumerate(test):
        if shot.pid > 0:
            groups.setdefault(shot.pid, {}).setdefault(shot.camera, []).append(index)
    several = [seen for seen in groups.values() if len(seen) > 1]
    return sorted(random.choice(indices) for seen in several for indices in seen.values())


def plan_lpw(preset: Preset, seed: int, shares: str = "paper") -> Plan:
    """Plan a set as LPW is: three scenes with 3, 4 and 4 views; one tracklet and one label for each person and view.

    Scenes 2 and 3 train, scene 1 tests. Every person of scene 1 is seen in view 2, which gives the queries, and in view
    1 or 3 or both.

    Args:
        preset: how large the set is; its tracklets and cameras do not apply.
        seed: decides everything random.
        shares: frequencies of the actions, ``paper`` or ``even``.
    """
    train, test = preset.people
    crowds = {"train": dress_all(train, seed, "train"), "test": dress_all(test, seed, "test")}
    small = max(1, train * 224 // 1975)
    scenes = {1: ("test", 0, test), 2: ("train", 0, train - small), 3: ("train", train - small, small)}
    shots: list[Shot] = []
    for split in ("test", "train"):
        seen = []
        for scene, (of, start, count) in scenes.items():
            if of == split:
                seen += [(scene, view, local, start + local - 1) for local in range(1, count + 1)
                         for view in _views(scene, local, seed)]  # fmt: skip
        seen.sort()
        weights = action_shares("lpw", split, shares)
        labels = hand_out(weights, len(seen), SeededRandom(seed, "actions", split))
        lengths = tracklet_lengths("train", len(seen), preset.stretch, SeededRandom(seed, "lengths", split))
        for (scene, view, local, person), label, length in zip(seen, labels, lengths, strict=True):
            key = f"scen{scene}/view{view}/{local}"
            camera = (0, 0, 3, 7)[scene] + view
            shots.append(Shot(split, local, camera, 1, length, label, f"pep_256x128/{key}", "", key, person))
    return Plan("lpw", seed, 11, preset.size, crowds, {}, shots, [])


def _views(scene: int, local: int, seed: int) -> list[int]:
    """Views that see a person; all views see the first person of a scene, so that none is empty."""
    random = SeededRandom(seed, "views", scene, local)
    if scene == 1:
        return [1, 2, 3] if local == 1 else random.choice(([1, 2, 3], [1, 2], [2, 3]), (6, 2, 2))
    views = (random.permutation(4) + 1).tolist()
    return sorted(views[: 4 if local == 1 else random.choice((2, 3, 4), (3, 3, 4))])
