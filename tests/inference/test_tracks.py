import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.tracks import TrackFileError, fit_to_video
from tests.inference.street import tracks_of


def test_fits_boxes_to_the_picture() -> None:
    rows = [
        (0, 1, 10, 10, 20, 20),  # inside
        (0, 2, -5, -5, 20, 20),  # cut at left and top
        (1, 3, 90, 50, 20, 20),  # cut at right and bottom
        (1, 4, 0, 0, 100, 60),  # the picture itself
        (1, 5, 100, 10, 5, 5),  # begins where the picture ends
        (2, 6, -9, 10, 5, 5),
        (3, 7, 10, 10, 5, 5),  # beyond the end
    ]
    fitted = fit_to_video(tracks_of(rows), 100, 60, 3, on_outside="skip")
    assert (fitted.clipped, fitted.outside, fitted.beyond) == (2, 2, 1)
    assert fitted.tracks.track.tolist() == [1, 2, 3, 4]
    assert fitted.tracks.box.tolist() == [[10, 10, 20, 20], [0, 0, 15, 15], [90, 50, 10, 10], [0, 0, 100, 60]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            (0, 5, 100, 10, 5, 5),
            r"a.txt: 1 of 2 boxes lie outside the picture of 100 x 60, the first in frame 1:",
        ),
        (
            (3, 5, 10, 10, 5, 5),
            r"a.txt: 1 of 2 boxes are in frames up to 4, the video has 3: are they of another",
        ),
    ],
)
def test_boxes_of_another_video_are_an_error(row: tuple[int, int, int, int, int, int], message: str) -> None:
    with pytest.raises(TrackFileError, match=message):
        fit_to_video(tracks_of([(0, 1, 1, 1, 5, 5), row]), 100, 60, 3, name="a.txt")


def test_fitting_changes_no_input() -> None:
    tracks = tracks_of([(0, 2, -5, -5, 20, 20)])
    fit_to_video(tracks, 100, 60, 3)
    assert tracks.box.tolist() == [[-5, -5, 20, 20]]
    with pytest.raises(ConfigError, match="unknown on_outside 'drop'"):
        fit_to_video(tracks, 100, 60, 3, on_outside="drop")
