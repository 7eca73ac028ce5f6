"""The content of the report is what was found, on the common clock."""

from pathlib import Path

import numpy as np

from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.identify import identify
from reidar_plugin.inference.recognised_page import people_report
from tests.inference.recognised import made_up_found, made_up_summary


def test_content() -> None:
    camera = Camera("gate", Path("gate.avi"), start=10.0)
    other = made_up_summary(7, feature=np.array([0.5, 0.25, 0.0], np.float32))
    seen = identify([made_up_found(camera, made_up_summary(3), other)], None, "euclidean")
    thresholds = {"walking": 0.5, "riding": 0.5}
    report = people_report(
        "Gate", seen, thresholds, "euclidean", {"a": "b"}, lambda distances: np.exp(-distances)
    )
    one = report.sightings[0]
    assert (report.title, report.dated, report.facts) == ("Gate", False, {"a": "b"})
    assert (one.key, one.person, one.start, one.end, one.first_frame) == ("gate/3", 1, 10.4, 11.3, 5)
    assert one.actions == {"walking": 0.75, "riding": 0.25}
    assert one.spans == {"walking": [(10.4, 11.3)], "riding": []}
    assert [(shot.frame, shot.time, shot.shows) for shot in one.pictures] == [
        (6, 10.5, ["walking"]),
        (10, 10.9, []),
    ]
    (near,) = one.nearest
    assert near.key == "gate/7"
    np.testing.assert_allclose([near.distance, near.probability or 0], [1.0, np.exp(-1)], rtol=1e-6)
    plain = people_report("Gate", seen, thresholds, "euclidean", {})
    assert plain.sightings[0].nearest[0].probability is None
