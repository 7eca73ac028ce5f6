"""Camera videos on disk: read back by our own readers, the same for the same seed, resumed, never overwritten."""

from datetime import datetime
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import yaml

from reidar_plugin.errors import ConfigError, ExistingFileError, UnwritableFileError
from reidar_plugin.synthped.videos import make
from reidar_plugin.synthped.videos.film import film
from reidar_plugin.synthped.videos.make import make_videos
from reidar_plugin.synthped.videos.street import StreetSize, plan_street

pytest.importorskip("av")
SIZE = StreetSize(people=6, cameras=2, seconds=6.0, rate=5, size=(96, 160))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_videos(tmp_path_factory.mktemp("videos"), SIZE, seed=2)


def test_our_readers_read_all_of_it(home: Path) -> None:
    from reidar_plugin.inference.mot_files import read_tracks
    from reidar_plugin.inference.tracks import fit_to_video
    from reidar_plugin.inference.video import probe_video

    cameras = yaml.safe_load((home / "cameras.yaml").read_text())["cameras"]
    assert [camera["name"] for camera in cameras] == ["camera-1", "camera-2"]
    street = plan_street(2, SIZE)
    for camera, start in zip(cameras, street.starts, strict=True):
        info = probe_video(home / camera["video"])
        assert info[:4] == (160, 96, 30, 5.0)
        for name in ("tracks", "truth"):
            fitted = fit_to_video(read_tracks(home / camera[name]), *info[:3])
            assert fitted.outside == fitted.beyond == 0
        began = datetime.fromisoformat(camera["start"])
        assert began.utcoffset() is not None
        assert (began - make.MORNING).total_seconds() == start
    rows = [line.split(",") for line in (home / "people.csv").read_text().splitlines()]
    assert [row[0] for row in rows[1:]] == ["1", "2", "3", "4", "5", "6"]
    assert len({len(row) for row in rows}) == 1
    assert (
        (home / "actions.csv").read_text().startswith("camera,person,track,first_frame,last_frame,action\n")
    )


def test_the_video_shows_what_was_drawn(home: Path) -> None:
    from reidar_plugin.inference.video import read_video

    street = plan_street(2, SIZE)
    drawn = islice(film(street, street.cameras[1]), 10)
    for frame, picture in zip(read_video(home / "camera-2.mp4"), drawn, strict=False):
        assert np.abs(frame.pixels.astype(int) - picture[..., ::-1]).mean() < 8


def test_an_interrupted_run_goes_on(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, calls = make.write_video, []

    def interrupted(path: Path, *args: object) -> None:
        calls.append(path.name)
        if path.name == "camera-2.mp4" and len(calls) == 2:
            raise KeyboardInterrupt
        write(path, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(make, "write_video", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_videos(tmp_path, SIZE, seed=2)
    assert not (tmp_path / "street").exists()
    found = make_videos(tmp_path, SIZE, seed=2)
    assert calls == ["camera-1.mp4", "camera-2.mp4", "camera-2.mp4"]
    for path in home.rglob("*.*"):
        if path.suffix != ".mp4":
            assert (found / path.relative_to(home)).read_bytes() == path.read_bytes()
    make_videos(tmp_path, SIZE, seed=2)
    assert len(calls) == 3  # nothing is drawn again


def test_what_is_there_is_never_overwritten(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"seed 2 \(asked for: 3\)"):
        make_videos(home.parent, SIZE, seed=3)
    (tmp_path / "street").mkdir()
    with pytest.raises(ExistingFileError, match="is no SynthPed set"):
        make_videos(tmp_path, SIZE)


def test_a_full_disk_is_one_line_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the folder: that of the temporary file says nothing."""

    def full(path: str, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", path)

    with monkeypatch.context() as patch:
        patch.setattr("av.open", full)
        with pytest.raises(UnwritableFileError) as caught:
            make_videos(tmp_path, SIZE, seed=2)
    assert str(caught.value) == (
        f"{tmp_path / 'street'}: No space left on device; what was drawn stays, and the same call goes on with it"
    )


def test_a_folder_is_a_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected the name of a folder in .*, got '\.\./evil'"):
        make_videos(tmp_path / "inner", SIZE, folder="../evil")
    assert not list(tmp_path.iterdir())
