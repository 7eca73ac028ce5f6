"""Contact sheets: their sizes, and who is on them."""

from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.errors import UnwritableFileError
from reidar_plugin.synthped import PRESETS, sheets
from reidar_plugin.synthped.plan import plan_mars
from reidar_plugin.synthped.render import Renderer


def test_people_differ_and_one_is_seen_from_eight_sides() -> None:
    sheet = sheets.people_sheet(seed=0, rows=2, columns=12)
    assert sheet.shape == (3 * 256, 12 * 128, 3)
    tiles = [sheet[row : row + 256, column : column + 128].tobytes()
             for row in range(0, 3 * 256, 256) for column in range(0, 12 * 128, 128)]  # fmt: skip
    assert len(set(tiles)) == 36


def test_a_strip_has_frames_of_its_tracklet() -> None:
    plan = plan_mars(PRESETS["tiny"], 0)
    renderer = Renderer(plan)
    shot = next(shot for shot in plan.shots if shot.length >= 9)
    pictures = list(renderer.pictures(shot, renderer.script(shot)))
    every_third = sheets.strip(renderer, shot, 3, step=3)
    assert every_third.shape == (64 + 4, 3 * 32 + 4, 3)
    np.testing.assert_array_equal(every_third[2:-2, 2:-2], np.hstack(pictures[0:9:3]))
    spread = sheets.strip(renderer, shot, 2)
    np.testing.assert_array_equal(spread[2:-2, 2:-2], np.hstack([pictures[0], pictures[-1]]))
    assert sheets.strips(renderer, [shot] * 5, columns=2, frames=2).shape == (2 * 68, 2 * 68, 3)


def test_every_sheet_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blank = np.zeros((8, 8, 3), np.uint8)
    for name in ("people_sheet", "actions_sheet", "cameras_sheet", "strips"):
        monkeypatch.setattr(sheets, name, lambda *args, **more: blank)
    sheets.contact_sheets(tmp_path)
    names = ("actions", "cameras", "distractors", "occlusions", "people")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"synthped-{name}.jpg" for name in names]


def test_asks_for_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("people_sheet", "actions_sheet", "cameras_sheet", "strips"):
        monkeypatch.setattr(sheets, name, lambda *args, **more: np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(UnwritableFileError, match=r"missing.*No such file"):
        sheets.contact_sheets(tmp_path / "missing")
