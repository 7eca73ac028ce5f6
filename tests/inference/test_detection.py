from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.detection import DetectorError, associate, detect, load_detector
from reidar_plugin.inference.mot_files import read_tracks
from reidar_plugin.inference.tracks import Tracks
from reidar_plugin.inference.video import VideoFrame, read_video
from tests.inference.street import picture, tracks_of


def walkers(frames: int, gap: range = range(0), score: float = 0.9) -> Tracks:
    """Detections of two people who cross the picture on different heights; the first is missed during a gap."""
    rows = []
    for frame in range(frames):
        if frame not in gap:
            rows.append((frame, -1, 2.0 * frame, 10.0, 20.0, 40.0))
        rows.append((frame, -1, 100.0 - 2 * frame, 60.0, 20.0, 40.0))
    return tracks_of(rows, score)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Writes a module into the current folder; its name."""
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> str:
        name = f"detector_{abs(hash((tmp_path, text)))}"
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        return name

    return write


def test_loads_a_function_of_the_current_folder(module: Callable[[str], str]) -> None:
    name = module("def boxes(frame): return [[1, 2, 3, 4]]")
    assert load_detector(f"{name}:boxes")(picture(0)) == [[1, 2, 3, 4]]


def test_a_class_is_made_once(module: Callable[[str], str]) -> None:
    name = module(
        "class Boxes:\n    seen = 0\n    def __call__(self, frame):\n        self.seen += 1\n"
        "        return [[self.seen, 2, 3, 4, 0.5]]"
    )
    frames = [VideoFrame(index, 0.0, picture(index)) for index in (0, 1, 4)]
    found = detect(frames, load_detector(f"{name}:Boxes"))
    assert found.box[:, 0].tolist() == [1, 2, 3]
    assert found.frame.tolist() == [0, 1, 4]
    assert found.score.tolist() == [0.5, 0.5, 0.5]
    assert found.are_detections


@pytest.mark.parametrize(
    ("text", "attribute", "message"),
    [
        ("x = 1", "boxes", "has no 'boxes'"),
        ("def boxes(frame): ...", "bxes", "has no 'bxes'; did you mean 'boxes'?"),
        ("boxes = 3", "boxes", "expected a function frame -> boxes, got int"),
        (
            "import nothing_of_this_name",
            "boxes",
            "needs the module 'nothing_of_this_name', which is not installed",
        ),
        ("raise RuntimeError('no weights')", "boxes", r"cannot be imported \(RuntimeError: no weights\)"),
        ("def boxes(frame)", "boxes", r"cannot be imported \(SyntaxError"),
        ("class boxes:\n    def __init__(self, path): ...", "boxes", "cannot be made without arguments"),
    ],
)
def test_what_cannot_be_loaded_is_named(
    module: Callable[[str], str], text: str, attribute: str, message: str
) -> None:
    with pytest.raises(DetectorError, match=message) as caught:
        load_detector(f"{module(text)}:{attribute}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["boxes", "boxes:", ":boxes", "a.py:b c"])
def test_a_name_needs_two_parts(name: str) -> None:
    with pytest.raises(DetectorError, match=f"expected module:function, .*got '{name}'"):
        load_detector(name)


def test_a_missing_module_is_named() -> None:
    with pytest.raises(DetectorError, match="no module 'no_such_detector', installed or in"):
        load_detector("no_such_detector:boxes")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "frame 4: expected"),
        ("boxes", "frame 4: expected an array of boxes, got str"),
        ([1, 2, 3, 4], r"frame 4: expected boxes \(n, 4\) or \(n, 5\), got shape \(4,\)"),
        (np.zeros((2, 6)), r"got shape \(2, 6\)"),
        ([[1, 2, 3, float("nan")]], "expected finite boxes"),
        ([[1, 2, 0, 4]], "width and height above 0"),
    ],
)
def test_something_else_than_boxes_is_named(given: Any, message: str) -> None:
    with pytest.raises(DetectorError, match=message):
        detect([VideoFrame(3, 0.0, picture(3))], lambda frame: given, "mine")


def test_no_boxes_at_all() -> None:
    found = detect([VideoFrame(3, 0.0, picture(3))], lambda frame: [])
    assert len(found) == 0
    assert not found.are_detections


@pytest.mark.parametrize("tracker", ["bytetrack", "sort", "ocsort"])
def test_two_people_become_two_tracks(tracker: str) -> None:
    pytest.importorskip("trackers", reason="the extra 'video' is not installed")
    tracks = associate(walkers(30, range(10, 14)), 25.0, tracker)
    assert tracks.ids.tolist() == [1, 2]
    for track in (1, 2):
        own = tracks.take(tracks.track == track)
        assert len(set(own.box[:, 1].tolist())) == 1  # never from one height to the other
        assert own.frame[0] <= 2
        assert own.frame[-1] == 29
        expected = 2.0 * own.frame if own.box[0, 1] == 10 else 100.0 - 2 * own.frame
        np.testing.assert_array_equal(own.box[:, 0], expected)  # the boxes as they were detected
    assert (np.diff(tracks.frame) >= 0).all()


def test_ids_go_to_their_boxes_though_the_tracker_sorts_by_score() -> None:
    pytest.importorskip("trackers", reason="the extra 'video' is not installed")
    detections = walkers(30)
    weak = (detections.box[:, 1] == 10) & (detections.frame >= 5)  # the first of each frame
    detections.score[weak] = 0.3
    tracks = associate(detections, 25.0)
    assert len(tracks) > 55
    for track in (1, 2):
        assert len(set(tracks.box[tracks.track == track, 1].tolist())) == 1


def test_how_long_a_lost_person_is_waited_for_depends_on_the_frame_rate() -> None:
    pytest.importorskip("trackers", reason="the extra 'video' is not installed")
    still = tracks_of([(frame, -1, 10, 10, 20, 40) for frame in range(60) if not 20 <= frame < 40], 0.9)
    assert len(associate(still, 30.0).ids) == 1  # 20 frames are less than a second
    assert len(associate(still, 5.0).ids) == 2  # 4 seconds: empty frames count


def test_options_go_to_the_tracker_and_are_checked() -> None:
    pytest.importorskip("trackers", reason="the extra 'video' is not installed")
    weak = walkers(10, score=0.3)
    with pytest.raises(
        DetectorError, match=r"none of 20 detections became a track; their scores are 0.3 to 0.3"
    ):
        associate(weak, 25.0)
    assert len(associate(weak, 25.0, track_activation_threshold=0.2, high_conf_det_threshold=0.2).ids) == 2
    with pytest.raises(
        ConfigError, match="bytetrack has no option 'lost_buffer'; did you mean 'lost_track_buffer'"
    ):
        associate(weak, 25.0, lost_buffer=3)
    with pytest.raises(ConfigError, match="unknown tracker 'bytetrak'; did you mean 'bytetrack'"):
        associate(weak, 25.0, "bytetrak")
    with pytest.raises(ConfigError, match="frame_rate: expected frames a second above 0, got 0"):
        associate(weak, 0)


def test_the_worked_example_follows_what_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trackers", reason="the extra 'video' is not installed")
    monkeypatch.chdir(Path(__file__).parent)
    generator = np.random.default_rng(0)
    ground = generator.integers(60, 90, (120, 200, 3), np.uint8)

    def walk() -> Any:
        for index in range(60):
            pixels = ground.copy()
            if index >= 20:
                left = 3 * (index - 20)
                pixels[40:90, left : left + 20] = (200, 40, 40)
            yield VideoFrame(index, index / 25, pixels)

    detections = detect(walk(), load_detector("moving_people:MovingPeople"))
    tracks = associate(detections, 25.0)
    assert len(tracks.ids) == 1
    assert len(tracks) >= 35  # of 40 frames
    centre = tracks.box[:, 0] + tracks.box[:, 2] / 2
    np.testing.assert_allclose(centre, 3 * (tracks.frame - 20) + 10, atol=4)


@pytest.mark.shared
def test_a_real_street(shared: Path) -> None:
    """The public detections of PETS09-S2L1, which 19 people cross, some of them several times."""
    pytest.importorskip("trackers", reason="the extra 'video' is not installed")
    path = shared / "pets" / "det.txt"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    detections = read_tracks(path)
    assert detections.are_detections
    tracks = associate(detections, 10.0)
    assert 19 <= len(tracks.ids) <= 60
    assert len(tracks) > 0.95 * len(detections)


def test_frames_of_a_file_go_through_a_detector(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="the extra 'video' is not installed")
    from tests.inference.street import write_video

    path = write_video(tmp_path / "a.avi", 5)
    found = detect(read_video(path), lambda frame: [[1, 2, frame.shape[1], frame.shape[0]]])
    assert found.box.tolist() == [[1, 2, 128, 96]] * 5
