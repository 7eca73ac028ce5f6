"""Pictures of SynthPed: the same pixels everywhere, in the size asked for."""

import hashlib
from pathlib import Path

import cv2

from reidar_plugin.synthped import PRESETS, make
from reidar_plugin.synthped.plan import plan_mars
from reidar_plugin.synthped.render import Renderer


def test_pictures_are_pinned() -> None:  # the same pixels on every machine, before they become JPEG
    plan = plan_mars(PRESETS["tiny"], 0)
    renderer = Renderer(plan)
    total = hashlib.sha256()
    for shot in plan.shots[::9]:
        for picture in renderer.pictures(shot, renderer.script(shot)):
            total.update(picture.tobytes())
    assert total.hexdigest()[:16] == "add3f070be8dbc96"


def test_pictures_have_the_size_asked_for(mars: Path, tmp_path: Path) -> None:
    assert {cv2.imread(str(path)).shape for path in (mars / "bbox_train").rglob("*F001.jpg")} == {(64, 32, 3)}
    small = make(tmp_path, "tiny", people=(8, 8), size=(48, 20), workers=1)
    assert cv2.imread(str(next((small / "bbox_test").rglob("*.jpg")))).shape == (48, 20, 3)
