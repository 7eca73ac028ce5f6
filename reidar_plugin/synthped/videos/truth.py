"""What is true of a camera video: whose boxes are where, how much of each person is seen, who does what."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from reidar_plugin.inference.tracks import Tracks
from reidar_plugin.synthped.seeded_random import Array
from reidar_plugin.synthped.videos.street import Street
from reidar_plugin.synthped.videos.visits import Visit, boxes_around

__all__ = ["action_rows", "tracks_of", "truth_of"]

INSIDE = 0.2  # of a box that must be in the picture for the box to be told
BODY = 0.3  # width of what hides others, in body heights
PEDESTRIAN, DISTRACTOR = 1, 8  # classes of MOT; a distractor does not count
_GRID = 180  # rows on which hiding is worked out


def truth_of(street: Street, camera: int) -> Tracks:
    """The MOT ground truth of a camera: ids are people, the same in all cameras.

    Visibility is the part of a person's body, taken as a rectangle, that is in the picture and not behind that of
    somebody nearer, the pole or the bush. Who is held by the hand is a stranger: class 8, which does not count.
    """
    rows = _rows(street, camera)
    strangers = rows[:, 6] == DISTRACTOR
    return Tracks(
        frame=rows[:, 0].astype(np.int64),
        track=rows[:, 1].astype(np.int64),
        box=rows[:, 2:6],
        score=np.where(strangers, 0.0, 1.0).astype(np.float32),
        category=rows[:, 6].astype(np.int64),
        visibility=rows[:, 7].astype(np.float32),
    ).sorted()


def tracks_of(street: Street, camera: int) -> Tracks:
    """What a perfect tracker gives: the boxes of the people, an id a visit."""
    rows = _rows(street, camera)
    rows = rows[rows[:, 6] == PEDESTRIAN]
    frame, track = rows[:, 0].astype(np.int64), rows[:, 8].astype(np.int64)
    return Tracks(frame, track, rows[:, 2:6], np.ones(len(rows), np.float32)).sorted()


def action_rows(street: Street) -> Iterator[tuple[str, int, int, int, int, str]]:
    """Camera, person, track, first and last frame (from 1) and action of each stretch of all visits."""
    for visit in street.visits:
        told = np.flatnonzero(_told(street, visit, visit.box))
        frames = told + visit.start
        actions = [visit.actions[row] for row in told]
        starts = [row for row in range(len(told)) if row == 0 or actions[row] != actions[row - 1]]
        for first, end in zip(starts, [*starts, len(told)][1:], strict=True):
            span = int(frames[first]) + 1, int(frames[end - 1]) + 1
            yield f"camera-{visit.camera}", visit.person, visit.track, *span, actions[first]


def _told(street: Street, visit: Visit, box: Array) -> Array:
    """Frames of a visit that the video has, and in which enough of the box is in the picture, ``(F,)`` bool."""
    wide = street.size.size[1] / street.size.size[0]
    corner = np.clip(box[:, :2], 0.0, (wide, 1.0))
    end = np.clip(box[:, :2] + box[:, 2:], 0.0, (wide, 1.0))
    inside = (end - corner).prod(axis=1) / box[:, 2:].prod(axis=1)
    frame = visit.start + np.arange(len(visit))
    return (inside >= INSIDE) & (frame >= 0) & (frame < street.size.frames)


def _rows(street: Street, camera: int) -> Array:
    """Frame, id, box in pixels, class, visibility and track of everybody, ``(N, 9)``."""
    height = street.size.size[0]
    tables: list[Array] = [np.empty((0, 14))]
    for visit in street.visits:
        for number, role in enumerate(visit.cast):
            if visit.camera != camera:
                continue
            box = visit.box if number == 0 else boxes_around(role, "walking")
            who = visit.person if number == 0 else len(street.looks) + visit.track
            kind = PEDESTRIAN if number == 0 else DISTRACTOR
            frame = visit.start + np.arange(len(visit))
            body = np.stack([role.x - BODY / 2 * role.tall, role.y - role.tall, BODY * role.tall, role.tall])
            facts = np.broadcast_to([[kind, 0.0, visit.track]], (len(visit), 3))
            told = _told(street, visit, box)[:, None]
            tables.append(
                np.column_stack([frame, np.full(len(visit), who), box * height, facts, body.T, told])
            )
    rows = np.concatenate(tables)
    rows[:, 7] = _seen(street, camera, rows[:, 0].astype(np.int64), rows[:, 9:13])
    return rows[rows[:, 13] > 0][:, :9]


def _seen(street: Street, camera: int, frame: Array, body: Array) -> Array:
    """Seen part of each body ``(N,)``, by painting rectangles from far to near in each frame."""
    wide = street.size.size[1] / street.size.size[0]
    corners = np.rint(np.concatenate([body[:, :2], body[:, :2] + body[:, 2:]], axis=1) * _GRID).astype(int)
    area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    order = np.lexsort((body[:, 1] + body[:, 3], frame))
    first = np.searchsorted(frame[order], np.arange(street.size.frames + 1))
    seen = np.zeros(len(body))
    grid = np.zeros((_GRID, int(wide * _GRID)), np.int32)
    for start, end in pairwise(first.tolist()):
        grid[:] = 0
        here = order[start:end]
        for number, row in enumerate(here, start=1):
            _fill(grid, corners[row], number)
        _fill(grid, _obstacle(street, camera), 0)
        counts = np.bincount(grid.ravel(), minlength=len(here) + 1)
        seen[here] = counts[1:] / np.maximum(area[here], 1)
    return seen


def _obstacle(street: Street, camera: int) -> Array:
    thing = street.obstacles[camera - 1]
    x, top = float(thing.x[0]), 0.0 if thing.kind == "pole" else 1.02 - thing.high
    return np.rint(np.array([x - thing.wide, top, x + thing.wide, 1.02]) * _GRID).astype(int)


def _fill(grid: Array, corners: Array, number: int) -> None:
    left, top, right, low = (max(int(value), 0) for value in corners)
    grid[top:low, left:right] = number
