"""The plan of a street: which cameras there are, and who passes which of them when."""

from dataclasses import dataclass, replace

import numpy as np

from reidar_plugin.errors import ConfigError
from reidar_plugin.synthped.actions import action_shares, hand_out
from reidar_plugin.synthped.people.looks import Look, dress_all
from reidar_plugin.synthped.script import Obstacle
from reidar_plugin.synthped.seeded_random import SeededRandom
from reidar_plugin.synthped.street.camera import Camera, make_cameras
from reidar_plugin.synthped.videos.visits import Visit, write_visit

__all__ = ["CROWD", "Street", "StreetSize", "plan_street"]

CROWD = "street"
"""Name of the people, beside ``train`` and ``test``: the same seed gives other people to each."""

PAUSE = (3.0, 14.0)  # seconds between two visits of a person; nobody is in two places at once
STAYS = 0.2  # share of visits to the camera of the visit before


@dataclass(frozen=True)
class StreetSize:
    """How much there is to film."""

    people: int = 18
    cameras: int = 3
    seconds: float = 60.0
    rate: int = 10  #: frames a second
    size: tuple[int, int] = (360, 640)  #: height and width of the pictures

    def __post_init__(self) -> None:
        height, width = self.size
        right = (
            (1 <= self.people <= 4000, "people must be 1 ... 4000", self.people),
            (1 <= self.cameras <= 6, "cameras must be 1 ... 6", self.cameras),
            (1 <= self.seconds <= 3600, "seconds must be 1 ... 3600", self.seconds),
            (5 <= self.rate <= 60, "rate must be 5 ... 60 frames a second", self.rate),
            (
                64 <= height <= 2160 and height <= width <= 4 * height and height % 2 == width % 2 == 0,
                "size must be an even height of 64 ... 2160 and an even width of 1 to 4 heights",
                self.size,
            ),
        )
        for good, expected, got in right:
            if not good:
                raise ConfigError(f"{expected}, got {got}")

    @property
    def frames(self) -> int:
        """Of each video."""
        return int(self.seconds * self.rate)


@dataclass(frozen=True)
class Street:
    """Everything that is decided before drawing."""

    seed: int
    size: StreetSize
    cameras: list[Camera]
    starts: list[float]  #: seconds on the clock of the street at which each camera begins
    looks: list[Look]  #: of person i + 1
    labels: list[str]  #: what person i + 1 mostly does
    obstacles: list[Obstacle]  #: one a camera; x from the left edge
    visits: list[Visit]  #: in order of camera, then start


def plan_street(seed: int, size: StreetSize) -> Street:
    """Plan who passes which camera when; everything depends on the seed and the size alone."""
    cameras = [_street_camera(camera, seed) for camera in make_cameras(seed, size.cameras)]
    random = SeededRandom(seed, CROWD, "clock")
    starts = [random.integer(0, 5 * size.rate) / size.rate for _ in cameras]
    looks = dress_all(size.people, seed, CROWD)
    shares = action_shares("mars", "train", "even")
    labels = hand_out(shares, size.people, SeededRandom(seed, "actions", CROWD))
    visits = []
    for person in range(1, size.people + 1):
        visits += _way_of(person, looks[person - 1], labels[person - 1], cameras, starts, seed, size)
    visits.sort(key=lambda visit: (visit.camera, visit.start, visit.person))
    obstacles = [_obstacle(camera, seed, size) for camera in cameras]
    return Street(seed, size, cameras, starts, looks, labels, obstacles, _number(visits))


def _street_camera(camera: Camera, seed: int) -> Camera:
    """It looks down on the street, and its lens is as sharp beside a person as that of tracklets is."""
    random = SeededRandom(seed, CROWD, "camera", camera.number)
    return replace(camera, pitch=random.uniform(0.050, 0.075), blur=camera.blur * 0.47)


def _way_of(
    person: int,
    look: Look,
    label: str,
    cameras: list[Camera],
    starts: list[float],
    seed: int,
    size: StreetSize,
) -> list[Visit]:
    """The visits of a person, one after another, that begin before the end of the clock."""
    random = SeededRandom(seed, CROWD, "way", person)
    visits: list[Visit] = []
    clock, camera = random.uniform(-8.0, 0.6 * size.seconds), random.choice(cameras)
    while clock < size.seconds + max(starts):
        own = SeededRandom(seed, CROWD, "visit", person, len(visits))
        visit = write_visit(look, label, camera, size.rate, size.size[1] / size.size[0], own)
        start = int((clock - starts[camera.number - 1]) * size.rate)
        visits.append(replace(visit, person=person, start=start))
        clock += len(visit) / size.rate + random.uniform(*PAUSE)
        others = [each for each in cameras if each is not camera]
        camera = camera if not others or random.happens(STAYS) else random.choice(others)
    return [visit for visit in visits if visit.start < size.frames and visit.start + len(visit) > 0]


def _number(visits: list[Visit]) -> list[Visit]:
    """Give the visits of each camera their track numbers, from 1."""
    counts: dict[int, int] = {}
    numbered = []
    for visit in visits:
        counts[visit.camera] = counts.get(visit.camera, 0) + 1
        numbered.append(replace(visit, track=counts[visit.camera]))
    return numbered


def _obstacle(camera: Camera, seed: int, size: StreetSize) -> Obstacle:
    """A pole or a bush that stands in front of the street."""
    random = SeededRandom(seed, CROWD, "obstacle", camera.number)
    kind = random.choice(("pole", "plant"))
    wide = random.uniform(0.012, 0.02) if kind == "pole" else random.uniform(0.06, 0.10)
    high = random.uniform(0.24, 0.34)
    x = np.array([random.uniform(0.2, 0.8) * size.size[1] / size.size[0]])
    return Obstacle(kind, x, high, wide, random.integer(0, 1 << 30))
