from collections.abc import Iterator

import numpy as np
import pytest

from reidar_plugin.data.clips import consecutive_clips
from reidar_plugin.data.frames import resize_into
from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.crops import join_clips, read_crops
from reidar_plugin.inference.tracks import Tracks
from reidar_plugin.inference.video import VideoFrame
from tests.inference.street import picture, tracks_of


def video(indices: range | list[int]) -> Iterator[VideoFrame]:
    return (VideoFrame(index, index / 25, picture(index)) for index in indices)


def lives(spans: dict[int, range | list[int]]) -> Tracks:
    """A track of equal boxes for each id."""
    return tracks_of(
        [(frame, track, track, 20, 8, 16) for track, frames in spans.items() for frame in frames]
    )


def test_crops_are_the_boxes_resized_as_training_data() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, 96, 128, 3), np.uint8)
    frames = [VideoFrame(index, index / 25, pixels) for index, pixels in enumerate(noise)]
    tracks = tracks_of([(1, 4, 20.4, 10, 30, 60), (1, 2, 4, 20, 8, 16), (3, 4, 0, 0, 128, 96)])
    crops = list(read_crops(frames, tracks, 32, 16))
    assert [(crop.track, crop.frame) for crop in crops] == [(2, 1), (4, 1), (4, 3)]
    assert [crop.time for crop in crops] == [1 / 25, 1 / 25, 3 / 25]
    for crop, part in zip(crops, (np.s_[20:36, 4:12], np.s_[10:70, 20:51], np.s_[:, :]), strict=True):
        expected = np.empty((32, 16, 3), np.uint8)
        resize_into(expected, np.ascontiguousarray(noise[crop.frame][part]), "cubic")
        np.testing.assert_array_equal(crop.pixels, expected)
    np.testing.assert_array_equal(crops[1].box, (20.4, 10, 30, 60))
    first = next(read_crops(frames, tracks, 32, 16, "linear"))
    assert (first.pixels != crops[0].pixels).any()


@pytest.mark.parametrize("box", [(0, 0, 0.2, 0.2), (127.9, 95.9, 0.1, 0.1), (60.2, 50.2, 0.3, 0.3)])
def test_a_box_within_a_pixel_is_that_pixel(box: tuple[float, float, float, float]) -> None:
    (crop,) = read_crops(video(range(1)), tracks_of([(0, 1, *box)]), 4, 2)
    row, column = int(box[1]), int(box[0])
    assert (crop.pixels == picture(0)[row, column]).all()


def test_reading_ends_with_the_last_box() -> None:
    frames = video(range(10))
    assert len(list(read_crops(frames, lives({1: range(3)}), 4, 2))) == 3
    assert next(frames).index == 3


def test_boxes_of_lost_frames_are_counted() -> None:
    tracks = lives({1: range(6), 2: range(8)})
    with pytest.warns(RuntimeWarning, match=r"6 of 14 boxes are in frames that could not be read"):
        crops = list(read_crops(video([0, 1, 4, 5]), tracks, 4, 2))
    assert [crop.frame for crop in crops] == [0, 0, 1, 1, 4, 4, 5, 5]


@pytest.mark.parametrize("n", [1, 3, 4, 5, 8])
def test_clips_are_those_of_a_test(n: int) -> None:
    tracks = lives({9: range(2, 2 + n)})
    clips = list(join_clips(read_crops(video(range(20)), tracks, 8, 4), tracks, 4))
    crops = np.stack([crop.pixels for crop in read_crops(video(range(20)), tracks, 8, 4)])
    expected = consecutive_clips(n, 4)
    assert len(clips) == len(expected)
    for clip, indices in zip(clips, expected, strict=True):
        np.testing.assert_array_equal(clip.pixels, crops[indices])
        np.testing.assert_array_equal(clip.frames, np.unique(indices) + 2)
        np.testing.assert_allclose(clip.times, clip.frames / 25)
        assert clip.boxes.shape == (len(clip.frames), 4)
    assert [clip.ends for clip in clips] == [False] * (len(clips) - 1) + [True]


def test_tracks_end_when_they_are_over_and_no_later() -> None:
    tracks = lives({1: range(5), 2: range(3, 20), 3: [0, 19]})
    frame = -1

    def watched() -> Iterator[VideoFrame]:
        nonlocal frame
        for each in video(range(20)):
            frame = each.index
            yield each

    ended = {}
    for clip in join_clips(read_crops(watched(), tracks, 8, 4), tracks, 4):
        if clip.ends:
            assert clip.track not in ended
            ended[clip.track] = frame
    assert ended == {1: 4, 2: 19, 3: 19}


def test_a_track_whose_last_frames_were_lost_still_ends_once() -> None:
    tracks = lives({1: range(6), 2: range(12)})
    with pytest.warns(RuntimeWarning, match="could not be read"):
        clips = list(join_clips(read_crops(video([0, 1, 2, 3, 6, 7, 8]), tracks, 8, 4), tracks, 4))
    assert [(clip.track, clip.frames.tolist(), clip.ends) for clip in clips] == [
        (1, [0, 1, 2, 3], True),  # frames 4 and 5 never came
        (2, [0, 1, 2, 3], False),
        (2, [6, 7, 8], True),
    ]


def test_no_more_than_a_clip_of_each_live_track_waits() -> None:
    alive = 0

    def counted() -> Iterator[VideoFrame]:
        for index in range(400):
            yield VideoFrame(index, index / 25, picture(index % 256))

    tracks = lives({track: range(40 * track, 40 * track + 60) for track in range(9)})
    given = 0
    for number, crop_count in enumerate(_waiting(counted(), tracks)):
        alive = max(alive, crop_count)
        given = number
    assert given > 100
    assert alive <= 2 * 4  # two tracks at a time


def _waiting(frames: Iterator[VideoFrame], tracks: Tracks) -> Iterator[int]:
    """How many crops have been read and not given out, at each clip."""
    read = 0

    def counting() -> Iterator:
        nonlocal read
        for crop in read_crops(frames, tracks, 8, 4):
            read += 1
            yield crop

    for clip in join_clips(counting(), tracks, 4):
        read -= len(clip.frames)
        yield read


def test_wrong_sizes_and_detections_are_named() -> None:
    tracks = lives({1: range(3)})
    with pytest.raises(ConfigError, match="above 0, got 0 and 4"):
        list(read_crops(video(range(3)), tracks, 0, 4))
    with pytest.raises(ConfigError, match="unknown interpolation 'cubik'; did you mean 'cubic'"):
        list(read_crops(video(range(3)), tracks, 8, 4, "cubik"))
    with pytest.raises(ConfigError, match="at least one frame, got 0"):
        list(join_clips([], tracks, 0))
    with pytest.raises(ConfigError, match="got detections; associate them first"):
        list(join_clips([], lives({-1: range(3)}), 4))
