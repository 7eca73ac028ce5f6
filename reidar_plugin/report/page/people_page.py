"""The report of people: who was seen, where, when, and doing what."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from itertools import count
from typing import Any

from reidar_plugin.report.page.content import PeopleReport, Picture, Sighting
from reidar_plugin.report.page.render import data_uri, render_page

__all__ = ["MOST_BYTES", "people_page"]

MOST_BYTES = 24 * 2**20  #: of the pictures in a page, before they become text


def people_page(report: PeopleReport, most_bytes: int = MOST_BYTES) -> str:
    """The page as HTML.

    Args:
        report: what it shows.
        most_bytes: of all pictures. Each tracklet gets its first picture, then each its second, while there is room; how
            many are left out is said on the page.
    """
    sightings = sorted(report.sightings, key=lambda one: (one.start, one.end, one.key))
    cameras = sorted({one.camera for one in sightings})
    kept = _within(sightings, most_bytes)
    start = min((one.start for one in sightings), default=0.0)
    end = max((one.end for one in sightings), default=0.0)
    data = {
        "cameras": cameras,
        "actions": [{"name": name, "threshold": value} for name, value in report.thresholds.items()],
        "dated": report.dated,
        "start": start,
        "end": end,
        "sightings": [
            _row(one, cameras.index(one.camera), list(report.thresholds), pictures)
            for one, pictures in zip(sightings, kept, strict=True)
        ],
    }
    return render_page(
        "people",
        data,
        title=report.title,
        facts=report.facts,
        acting=bool(report.thresholds),
        tally=_tally(sightings, cameras),
        span=_span(start, end, report) if sightings else "Nobody was seen.",
        left_out=sum(len(one.pictures) for one in sightings) - sum(map(len, kept)),
    )


def _within(sightings: Sequence[Sighting], most_bytes: int) -> list[list[Picture]]:
    """The pictures of each tracklet for which there is room: first ones of all, then second ones, and so on."""
    kept: list[list[Picture]] = [[] for _ in sightings]
    room = most_bytes
    for place, picture in _in_turn(sightings):
        room -= len(picture.jpeg)
        if room < 0:
            break
        kept[place].append(picture)
    return kept


def _in_turn(sightings: Sequence[Sighting]) -> Iterator[tuple[int, Picture]]:
    for turn in count():
        having = [place for place, one in enumerate(sightings) if len(one.pictures) > turn]
        if not having:
            return
        yield from ((place, sightings[place].pictures[turn]) for place in having)


def _row(one: Sighting, camera: int, actions: list[str], pictures: Sequence[Picture]) -> dict[str, Any]:
    return {
        "key": one.key,
        "camera": camera,
        "person": one.person,
        "start": one.start,
        "end": one.end,
        "first": one.first_frame,
        "last": one.last_frame,
        "frames": one.frames,
        "actions": [round(one.actions[name], 4) for name in actions] if one.actions else [],
        "spans": [[list(span) for span in one.spans.get(name, ())] for name in actions],
        "pictures": [
            {
                "src": data_uri(picture.jpeg),
                "time": picture.time,
                "frame": picture.frame,
                "shows": [actions.index(name) for name in picture.shows],
            }
            for picture in pictures
        ],
        "nearest": [[near.key, near.distance, near.probability] for near in one.nearest],
    }


def _tally(sightings: Sequence[Sighting], cameras: Sequence[str]) -> list[tuple[str, str]]:
    people = len({one.person for one in sightings})
    counts = (
        (people, "person", "people"),
        (len(sightings), "tracklet", "tracklets"),
        (len(cameras), "camera", "cameras"),
    )
    return [(f"{number:,}", one if number == 1 else several) for number, one, several in counts]


def _span(start: float, end: float, report: PeopleReport) -> str:
    if not report.timed:
        return "When it was is not known of pictures: times are as if one were taken each second, tracklet after tracklet."
    if not report.dated:
        return f"{_clock(math.floor(start))} to {_clock(math.ceil(end))} on the clock that the cameras share."
    first, last = (datetime.fromtimestamp(at, timezone.utc) for at in (start, end))
    return f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}, all times in UTC."


def _clock(seconds: int) -> str:
    """``9:05`` or ``9:00:05``, as the page has it."""
    minutes, rest = divmod(abs(seconds), 60)
    told = f"{minutes // 60}:{minutes % 60:02d}" if minutes >= 60 else f"{minutes}"
    return f"{'-' * (seconds < 0)}{told}:{rest:02d}"
