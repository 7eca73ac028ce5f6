"""An annotated video has the frames of its source, and boxes in the colours of people where people are."""

from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.errors import UnwritableFileError
from reidar_plugin.inference.annotate import annotate_video, colour_of
from reidar_plugin.inference.identify import identify
from reidar_plugin.inference.recognise import recognise_video
from reidar_plugin.inference.video import read_video
from tests.inference.recognised import RED, asked, write_street


def test_boxes_where_people_are(tmp_path: Path) -> None:
    found = recognise_video(write_street(tmp_path, "gate", [(RED, 0, 9), (RED, 5, 9)]), asked(), tmp_path)
    seen = identify([found], None, "euclidean")
    annotate_video(tmp_path / "out.mp4", found, seen, ["1 a", "2"])
    frames = list(read_video(tmp_path / "out.mp4"))
    plain = list(read_video(found.camera.video))
    assert [frame.index for frame in frames] == [frame.index for frame in plain]
    np.testing.assert_allclose([frame.time for frame in frames], [frame.time for frame in plain], atol=2e-3)
    edge = frames[2].pixels[30, 7:9].mean(axis=0)  # left side of the first box
    np.testing.assert_allclose(edge, colour_of(1), atol=70)
    change = [
        np.abs(frame.pixels[16:48, 30:48].astype(int) - before.pixels[16:48, 30:48]).mean()
        for frame, before in zip(frames, plain, strict=True)
    ]
    assert max(change[:5]) < min(change[5:])  # the second person comes in the sixth frame


def test_a_full_disk_is_told_by_the_name_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = write_street(tmp_path, "gate", [(RED, 0, 2)])
    found = recognise_video(camera, asked(), tmp_path)

    def full(path: str, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", path)

    import av

    opened = av.open
    monkeypatch.setattr(
        "av.open", lambda path, *more, **other: full(path) if "w" in more else opened(path, *more, **other)
    )
    seen = identify([found], None, "euclidean")
    with pytest.raises(UnwritableFileError) as caught:
        annotate_video(tmp_path / "out.mp4", found, seen, ["1"])
    assert str(caught.value) == f"{tmp_path / 'out.mp4'}: No space left on device; free space and start again"


def test_colours_differ() -> None:
    assert len({colour_of(person) for person in range(200)}) == 200
