"""Tracklets go into a gallery once, with their dates."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.cameras import Camera
from reidar_plugin.inference.identify import Seen, identify
from reidar_plugin.inference.recognised_gallery import add_to_gallery, check_dated, model_of
from tests.inference.recognised import asked, made_up_found, made_up_summary

NOON = 1_777_636_800.0


def add(uri: str, seen: Sequence[Seen]) -> int:
    from reidar_plugin.inference.gallery import open_gallery

    with open_gallery(uri, model_of(asked()), write=True) as gallery:
        return add_to_gallery(gallery, "may", seen)


def test_added_once(tmp_path: Path) -> None:
    pytest.importorskip("lancedb")
    from reidar_plugin.inference.gallery import GalleryError, open_gallery

    camera = Camera("gate", Path("gate.avi"), start=NOON, dated=True)
    seen = identify([made_up_found(camera, made_up_summary(3), made_up_summary(7))], None, "euclidean")
    uri = str(tmp_path / "people.gallery")
    assert add(uri, seen[:1]) == 1
    assert add(uri, seen) == 1
    assert add(uri, seen) == 0
    moved = [one._replace(camera=replace(camera, video=Path("elsewhere.avi"))) for one in seen]
    assert add(uri, moved) == 0
    with pytest.raises(GalleryError, match=r"holds may/gate/3 of an earlier run .*, with another identity"):
        add(uri, [seen[0]._replace(person=5)])
    with open_gallery(uri) as gallery:
        first, second = gallery.find()
        assert gallery.feature("may/gate/7").tolist() == [0.5, 0.25, 1.0]
    assert (first.id, second.id, first.identity) == ("may/gate/3", "may/gate/7", "may/1")
    assert (first.start, first.end, first.first_frame) == (NOON + 0.4, NOON + 1.3, 4)
    assert first.actions == {"walking": 0.75, "riding": 0.25}


def test_dates_are_needed() -> None:
    dated = Camera("gate", Path("a.avi"), dated=True)
    check_dated([dated], 1)
    with pytest.raises(ConfigError, match="give each camera a start"):
        check_dated([dated, replace(dated, dated=False)], 2)
    with pytest.raises(ConfigError, match="pictures do not tell; leave --gallery out"):
        check_dated([], 1)
