"""Pictures of SynthPed: the same pixels everywhere, in the size asked for."""

import hashlib
from dataclasses import replace
from pathlib import Path

import cv2

from reidar_plugin.synthped import PRESETS, make
from reidar_plugin.synthped.plan import plan_mars
from reidar_plugin.synthped.render import Renderer
from reidar_plugin.synthped.street.camera import make_cameras


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


def test_the_background_does_not_depend_on_the_people() -> None:
    """Without the cast the same street is there, and people change a part of the picture only."""
    plan = plan_mars(PRESETS["tiny"], 0)
    renderer = Renderer(plan)
    shot = next(shot for shot in plan.shots if shot.person >= 0)
    script = replace(renderer.script(shot), front=[])
    whole, empty = (list(renderer.pictures(shot, s)) for s in (script, replace(script, cast=[])))
    assert len(whole) == shot.length
    for picture, street in zip(whole, empty, strict=True):
        changed = (picture != street).any(axis=2)
        assert 0.05 < changed.mean() < 0.75
        assert not changed[:3, :3].any()


def test_a_file_has_the_quality_of_its_camera() -> None:
    plan = plan_mars(PRESETS["tiny"], 0)
    renderer = Renderer(plan)
    shot = plan.shots[0]
    picture = next(renderer.pictures(shot, renderer.script(shot)))
    quality = make_cameras(plan.seed, plan.cameras)[shot.camera - 1].quality
    expected = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()
    assert renderer.encode(shot, picture) == expected
