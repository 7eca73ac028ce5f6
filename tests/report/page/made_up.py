"""A street of made-up people for reports."""

import io
import random
from typing import Any

from PIL import Image, ImageDraw

from reidar_plugin.report.page.content import Neighbour, PeopleReport, Picture, Sighting

__all__ = ["ACTIONS", "CAMERAS", "made_up_people", "made_up_picture"]

ACTIONS = {"walking": 0.5, "riding": 0.5, "phone_to_ear": 0.3}
CAMERAS = ("gate", "yard", "north entrance of the station")


def made_up_picture(color: str) -> bytes:
    """A person of one colour, JPEG."""
    image = Image.new("RGB", (56, 112), "#8a9296")
    draw = ImageDraw.Draw(image)
    draw.ellipse((20, 8, 36, 28), "#d9b38c")
    draw.rectangle((14, 28, 42, 72), color)
    draw.rectangle((17, 72, 39, 108), "#303848")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def made_up_people(people: int, tracklets: int, seed: int = 0, **changes: Any) -> PeopleReport:
    """People with so many tracklets each, over three cameras and an hour."""
    draw = random.Random(seed)
    pictures = [made_up_picture(color) for color in ("#b03a2e", "#2e6ab0", "#2e8b57", "#c9a227", "#7d4fa0")]
    sightings = []
    for person in range(1, people + 1):
        riding = person % 3 == 0
        for number in range(tracklets):
            camera = CAMERAS[draw.randrange(len(CAMERAS))]
            start = draw.uniform(0, 3500)
            end = start + draw.uniform(2, 60)
            likely = {
                "walking": 0.1 if riding else 0.9,
                "riding": 0.8 if riding else 0.1,
                "phone_to_ear": draw.random(),
            }
            shows = ("riding",) if riding else ("walking",)
            shots = [
                Picture(pictures[person % 5], int(25 * at) + 1, at, shows)
                for at in (start, (start + end) / 2)
            ]
            sightings.append(
                Sighting(
                    key=f"{camera}/{person * tracklets + number}",
                    camera=camera,
                    person=person,
                    start=start,
                    end=end,
                    first_frame=int(25 * start) + 1,
                    last_frame=int(25 * end) + 1,
                    frames=int(25 * (end - start)),
                    actions=likely,
                    spans={shows[0]: [(start, end)]},
                    pictures=shots,
                )
            )
    keys = [one.key for one in sightings]
    near = [Neighbour(draw.choice(keys), draw.random(), draw.random()) for _ in sightings]
    sightings = [
        Sighting(**{**vars(one), "nearest": [each]}) for one, each in zip(sightings, near, strict=True)
    ]
    told = {"model": "reidar_osnet_x0_25", "threshold": "0.32, calibrated"}
    return PeopleReport(
        **{"title": "Made-up street", "sightings": sightings, "thresholds": ACTIONS, "facts": told, **changes}
    )
