"""Who is seen where, how often and for how long: the list of tracklets of a set, made before anything is drawn."""

from dataclasses import dataclass

from reidar_plugin.errors import ConfigError

from .actions import action_shares, hand_out
from .dice import Dice
from .people import Look, dress_all
from .presets import Preset, tracklet_lengths

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
    length: int
    label: str  #: the weak action label; empty for distractors and junk
    folder: str  #: of its pictures, inside the set
    prefix: str  #: of the names of its pictures
    key: str  #: its name in label files
    person: int  #: place of its look in the crowd of the split; -1 for nobody we know

    def name(self, frame: int) -> str:
        """File name of a frame, counted from 1."""
        return f"{self.prefix}{frame:03d}.jpg" if self.prefix else f"{frame:05d}.jpg"


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before drawing."""

    layout: str
    seed: int
    cameras: int
    size: tuple[int, int]
    crowds: dict[str, list[Look]]
    labels: dict[str, list[str]]  #: of the people of a split (MARS)
    shots: list[Shot]
    queries: list[int]  #: places in ``shots`` counted among those of the test split, from 0 (MARS)


def plan_mars(preset: Preset, seed: int, shares: str = "paper") -> Plan:
    """MARS' way: person labels, six cameras at most, distractors, junk, one query for a person in a camera.

    Distractors and junk are as many as MARS has for each test tracklet of known people (3,248 and 870 to 8,062).
    """
    crowds, labels, shots, queries = {}, {}, [], []
    first = {"train": 1, "test": 2}
    for split, number, total in zip(("train", "test"), preset.people, preset.tracklets, strict=True):
        crowds[split] = dress_all(number, seed, split)
        labels[split] = hand_out(action_shares("mars", split, shares), number, Dice(seed, "actions", split))
        if split == "test":
            shots += _strangers(preset, seed)
        numbers = range(
            first[split], 2 * number + first[split], 2
        )  # odd people train, even people are tested
        shots += _known(split, list(numbers), labels[split], total, preset, seed)
    test = [shot for shot in shots if shot.split == "test"]
    queries = _queries(test, seed)
    return Plan("mars", seed, preset.cameras, preset.size, crowds, labels, shots, queries)


def _strangers(preset: Preset, seed: int) -> list[Shot]:
    shots = []
    for kind, pid, share, name in (("junk", JUNK, 870, "00-1"), ("distractor", DISTRACTOR, 3248, "0000")):
        count = preset.tracklets[1] * share // 8062
        lengths = tracklet_lengths(kind, count, preset.stretch, Dice(seed, "lengths", kind))
        dice = Dice(seed, "cameras", kind)
        cameras = sorted(dice.integer(1, preset.cameras) for _ in range(count))
        shots += [
            _mars_shot("test", pid, name, camera, number, length, "", -1)
            for number, (camera, length) in enumerate(zip(cameras, lengths, strict=True), start=1)
        ]
    return shots


def _known(
    split: str, pids: list[int], labels: list[str], total: int, preset: Preset, seed: int
) -> list[Shot]:
    seen = _seen_by(split, len(pids), preset, seed)
    counts = [(person, camera) for person, cameras in enumerate(seen) for camera in cameras]
    dice = Dice(seed, "tracklets", split)
    if total < len(counts):
        raise ConfigError(
            f"tracklets of the {split} people must be at least {len(counts)} (one in each camera), got {total}"
        )
    weights = [1.0 / (0.12 + dice.uniform()) - 0.85 for _ in counts]
    more = _share_out(total - len(counts), weights)
    lengths = iter(tracklet_lengths(split, total, preset.stretch, Dice(seed, "lengths", split)))
    shots, number, last = [], 0, -1
    for (person, camera), extra in zip(counts, more, strict=True):
        number = number if person == last else 0
        last = person
        for _ in range(1 + extra):
            number += 1
            pid = pids[person]
            shots.append(
                _mars_shot(split, pid, f"{pid:04d}", camera, number, next(lengths), labels[person], person)
            )
    return shots


def _mars_shot(
    split: str, pid: int, name: str, camera: int, number: int, length: int, label: str, person: int
) -> Shot:
    key = f"{name}C{camera}T{number:04d}"
    return Shot(split, pid, camera, number, length, label, f"bbox_{split}/{name}", f"{key}F", key, person)


def _seen_by(split: str, number: int, preset: Preset, seed: int) -> list[list[int]]:
    """Cameras of each person, in order: as many as in MARS, the busier ones more often."""
    shares = list(CAMERAS_OF_A_PERSON[split][: preset.cameras])
    shares[-1] += sum(CAMERAS_OF_A_PERSON[split][preset.cameras :])
    sizes = [
        size
        for size, count in enumerate(_share_out(number, [float(share) for share in shares]), 1)
        for _ in range(count)
    ]
    dice = Dice(seed, "seen", split)
    order = dice.order(number)
    people = []
    for place in order:
        free = list(range(1, preset.cameras + 1))
        seen = []
        for _ in range(sizes[place]):
            seen.append(dice.pick(free, [CROWD_OF_A_CAMERA[(camera - 1) % 6] for camera in free]))
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
    for place in rest:
        counts[place] += 1
    return counts


def _queries(test: list[Shot], seed: int) -> list[int]:
    """One tracklet of each person in each camera, if two cameras at least have seen the person."""
    dice = Dice(seed, "queries")
    groups: dict[int, dict[int, list[int]]] = {}
    for place, shot in enumerate(test):
        if shot.pid > 0:
            groups.setdefault(shot.pid, {}).setdefault(shot.camera, []).append(place)
    return sorted(dice.pick(places) for seen in groups.values() if len(seen) > 1 for places in seen.values())


def plan_lpw(preset: Preset, seed: int, shares: str = "paper") -> Plan:
    """LPW's way: three scenes with 3, 4 and 4 views; scene 1 tests, 2 and 3 train; one tracklet and label a view.

    Every person of scene 1 is seen in view 2, the queries, and in view 1 or 3 at least. ``preset.tracklets`` and
    ``preset.cameras`` do not apply.
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
        labels = hand_out(action_shares("lpw", split, shares), len(seen), Dice(seed, "actions", split))
        lengths = tracklet_lengths("train", len(seen), preset.stretch, Dice(seed, "lengths", split))
        for (scene, view, local, person), label, length in zip(seen, labels, lengths, strict=True):
            key = f"scen{scene}/view{view}/{local}"
            camera = (0, 0, 3, 7)[scene] + view
            shots.append(Shot(split, local, camera, 1, length, label, f"pep_256x128/{key}", "", key, person))
    return Plan("lpw", seed, 11, preset.size, crowds, {}, shots, [])


def _views(scene: int, local: int, seed: int) -> list[int]:
    """Views that see a person; the first of a scene is seen by all, so that no view is empty."""
    dice = Dice(seed, "views", scene, local)
    if scene == 1:
        return [1, 2, 3] if local == 1 else dice.pick(([1, 2, 3], [1, 2], [2, 3]), (6, 2, 2))
    views = (dice.order(4) + 1).tolist()
    return sorted(views[: 4 if local == 1 else dice.pick((2, 3, 4), (3, 3, 4))])
