"""Summaries of tracks: means, spans and pictures, against what was put into the clips."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from reidar_plugin.inference.crops import TrackClip
from reidar_plugin.inference.track_summary import TrackSummary, summarise_tracks
from tests.inference.recognised import GREEN, RED, colour_predictor, mean_colour


def clip(track: int, first: int, colour: tuple[int, int, int], ends: bool, frames: int = 4) -> TrackClip:
    at = np.arange(first, first + frames)
    pixels = np.zeros((4, 16, 8, 3), np.uint8)
    pixels[:] = colour
    boxes = np.tile([1.0, 2.0, 8.0, 16.0], (frames, 1)) + at[:, None]
    return TrackClip(track, at, at / 10, boxes, pixels, ends)


@pytest.fixture
def two() -> list[TrackSummary]:
    clips = [
        clip(1, 0, RED, False),
        clip(2, 2, GREEN, True, frames=1),
        clip(1, 4, GREEN, False),
        clip(1, 8, RED, False),
        clip(1, 12, RED, True, frames=2),
    ]
    return list(summarise_tracks(clips, colour_predictor()))


def test_means_are_over_clips(two: list[TrackSummary]) -> None:
    short, long = two
    assert (short.track, long.track) == (2, 1)
    np.testing.assert_allclose(long.feature, (3 * mean_colour(RED) + mean_colour(GREEN)) / 4, atol=1e-6)
    np.testing.assert_allclose(long.actions, long.feature[:2], atol=1e-6)
    assert (long.first_frame, long.last_frame, long.frames) == (0, 13, 14)
    assert (long.start, long.end) == (0.0, 1.3)
    assert (short.first_frame, short.last_frame, short.frames) == (2, 2, 1)


def test_when_it_did_what(two: list[TrackSummary]) -> None:
    walking, riding = two[1].spans
    assert walking == ((0.0, 0.3), (0.8, 1.3))
    assert riding == ((0.4, 0.7),)
    assert two[0].spans == ((), ((0.2, 0.2),))


def test_pictures_show_what_they_say(two: list[TrackSummary]) -> None:
    own, riding = two[1].shots
    assert (own.shows, riding.shows) == ((0,), (1,))
    assert 4 <= riding.frame < 8
    pixels = np.asarray(Image.open(io.BytesIO(riding.jpeg)))
    np.testing.assert_allclose(pixels.mean(axis=(0, 1)), GREEN, atol=6)
    assert two[1].box.tolist() == [own.frame + 1, own.frame + 2, own.frame + 8, own.frame + 16]


def test_branches_have_length_one_after_the_mean() -> None:
    predictor = colour_predictor()
    predictor.card = replace(predictor.card, branches=3)  # a colour each: whatever was seen has length 1
    (one,) = summarise_tracks([clip(1, 0, RED, False), clip(1, 4, GREEN, True)], predictor)
    np.testing.assert_allclose(one.feature, [1, 1, 1], atol=1e-6)


def test_batches_do_not_matter() -> None:
    clips = [clip(track, 0, RED, False) for track in range(9)] + [
        clip(track, 4, GREEN, True) for track in range(9)
    ]
    whole, small = colour_predictor(), colour_predictor()
    small.max_frames = 4  # a clip a batch
    for one, other in zip(summarise_tracks(clips, whole), summarise_tracks(clips, small), strict=True):
        assert (one.track, one.spans, one.shots) == (other.track, other.spans, other.shots)
        np.testing.assert_array_equal(one.feature, other.feature)
