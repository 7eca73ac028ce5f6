import os
import warnings
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.inference.video import VideoError, probe_video, read_video
from tests.inference.street import HEIGHT, WIDTH, damage, number_of, picture, write_h264, write_video

pytest.importorskip("av", reason="the extra 'video' is not installed")

STEADY = [number / 25 for number in range(50)]


@pytest.mark.parametrize(
    ("fourcc", "name"),
    [("MJPG", "a.avi"), ("XVID", "a.avi"), ("mp4v", "a.mp4"), ("VP80", "a.webm"), ("FFV1", "a.avi")],
)
@pytest.mark.parametrize("rate", [10.0, 29.97])
def test_reads_every_frame_in_order(tmp_path: Path, fourcc: str, name: str, rate: float) -> None:
    path = write_video(tmp_path / name, 30, fourcc, rate)
    frames = list(read_video(path))
    assert [number_of(frame.pixels) for frame in frames] == list(range(30))
    assert [frame.index for frame in frames] == list(range(30))
    np.testing.assert_allclose(
        [frame.time for frame in frames], np.arange(30) / rate, atol=2e-3
    )  # a webm has ms
    assert all(frame.pixels.shape == (HEIGHT, WIDTH, 3) for frame in frames)
    assert all(frame.pixels.dtype == np.uint8 for frame in frames)
    info = probe_video(path)
    assert info[:3] == (WIDTH, HEIGHT, 30)
    assert info.frame_rate == pytest.approx(rate, rel=1e-2)


def test_colours_are_rgb_and_the_bits_of_opencv(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 3)
    capture = cv2.VideoCapture(str(path))
    for frame in read_video(path):
        np.testing.assert_array_equal(frame.pixels, cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB))
    assert picture(0)[50, 4].tolist() == [255, 0, 0]
    np.testing.assert_allclose(next(iter(read_video(path))).pixels[50, 4].astype(int), (255, 0, 0), atol=12)


def test_reordered_frames_come_in_order_of_time(tmp_path: Path) -> None:
    path = write_h264(tmp_path / "a.mp4", STEADY, bf="2", g="12")
    frames = list(read_video(path))
    assert [number_of(frame.pixels) for frame in frames] == list(range(50))
    assert probe_video(path).codec == "h264"


def test_time_is_counted_from_the_first_frame(tmp_path: Path) -> None:
    path = write_h264(tmp_path / "a.mp4", [3 + seconds for seconds in STEADY])
    assert [round(frame.time, 3) for frame in read_video(path)] == [round(seconds, 3) for seconds in STEADY]
    path = write_h264(
        tmp_path / "a.avi", STEADY, codec="mpeg4", beat=25, bf="2"
    )  # its first frame is a frame late
    assert [round(frame.time, 3) for frame in read_video(path)] == [round(seconds, 3) for seconds in STEADY]


def test_a_varying_rate_gives_the_true_times(tmp_path: Path) -> None:
    times = [number / 25 if number < 25 else 1 + (number - 25) / 5 for number in range(50)]
    path = write_h264(tmp_path / "a.mp4", times)
    frames = list(read_video(path))
    np.testing.assert_allclose([frame.time for frame in frames], times, atol=1.1e-3)
    assert [frame.index for frame in frames] == list(range(50))


@pytest.mark.parametrize("turned", [90, -90, 180])
def test_a_turned_video_is_upright(tmp_path: Path, turned: int) -> None:
    path = write_h264(tmp_path / "a.mp4", STEADY[:3], turned=turned)
    capture = cv2.VideoCapture(str(path))  # turns by itself
    expected = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)
    first = next(iter(read_video(path)))
    np.testing.assert_array_equal(first.pixels, expected)
    assert first.pixels.flags.c_contiguous
    assert probe_video(path)[:2] == ((WIDTH, HEIGHT) if turned == 180 else (HEIGHT, WIDTH))


def test_a_damaged_frame_stops_and_names_it(tmp_path: Path) -> None:
    path = damage(write_h264(tmp_path / "a.mp4", STEADY, bf="0", g="12"))
    with pytest.raises(
        VideoError, match=rf"{path}: damaged near frame \d+ \(.*; fetch the file again"
    ) as caught:
        list(read_video(path))
    assert "\n" not in str(caught.value)


def test_frames_after_a_damaged_one_keep_their_number(tmp_path: Path) -> None:
    path = damage(write_h264(tmp_path / "a.mp4", STEADY, bf="0", g="12"))
    with pytest.warns(RuntimeWarning, match=r"a.mp4: left out \d+ damaged frames of 50"):
        frames = list(read_video(path, "skip"))
    assert len(frames) < 50
    assert frames[-1].index == 49
    sharp = [
        frame for frame in frames if frame.index >= 48 or frame.index < 12
    ]  # between, blocks may be grey
    assert [number_of(frame.pixels) for frame in sharp] == [frame.index for frame in sharp]


def test_frames_that_are_lost_without_a_trace_are_told(tmp_path: Path) -> None:
    path = damage(write_h264(tmp_path / "a.avi", STEADY, codec="mpeg4", beat=25, bf="0", g="12"), 0.4, 1000)
    with pytest.warns(RuntimeWarning, match=r"a.avi: its header promises 50 frames, 4\d are there"):
        assert len(list(read_video(path))) < 50


def test_a_header_that_counts_beats_promises_nothing(tmp_path: Path) -> None:
    path = write_h264(tmp_path / "a.avi", STEADY, codec="mpeg4", bf="0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert probe_video(path)[2:4] == (50, pytest.approx(25, rel=1e-6))
        assert [number_of(frame.pixels) for frame in read_video(path)] == list(range(50))


@pytest.mark.parametrize("name", ["a.avi", "a.mp4", "a.mkv"])
def test_a_file_cut_short_is_told(tmp_path: Path, name: str) -> None:
    """In an MP4 whose index comes first, as phones and web servers write it, frames of a rate that varies are just gone."""
    times = [number / 25 if number < 25 else 1 + (number - 25) / 5 for number in range(50)]
    path = tmp_path / name
    write_video(path, 50) if name == "a.avi" else write_h264(path, times, index_first=name == "a.mp4")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(read_video(path))) == probe_video(path).frame_count == 50
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    told = rf"{name}: cut short .* it has {len(whole):,} bytes, {len(whole) * 2 // 3:,} are there"
    with pytest.raises(VideoError, match=rf"{told}; fetch .*--on-broken skip"):
        next(read_video(path))
    with pytest.raises(VideoError, match=told):
        probe_video(path, "stop")
    with pytest.warns(RuntimeWarning, match=rf"{told}, with (\d\d) frames") as caught:
        info = probe_video(path)
    assert len(caught) == 1
    with pytest.warns(RuntimeWarning, match=told):
        assert info.frame_count - 3 <= len(list(read_video(path, "skip"))) <= info.frame_count < 45


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "there is no such file"),
        (b"", "got an empty file"),
        (
            b"hello world" * 100,
            r"got none that FFmpeg can open \(Invalid data found when processing input\)$",
        ),
        (os.urandom(4096), "got none that FFmpeg can open"),
    ],
)
def test_no_video_is_one_line(tmp_path: Path, data: bytes | None, message: str) -> None:
    path = tmp_path / "a.mp4"
    if data is not None:
        path.write_bytes(data)
    for act in (probe_video, lambda path: list(read_video(path))):
        with pytest.raises(VideoError, match=rf"a.mp4: expected a video, .*{message}") as caught:
            act(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.mp4", "ffconcat version 1.0\nfile whole.avi\n"),  # the frames of another file
        ("a.mp4", "ffconcat version 1.0\nfile pipe\n"),
        ("a.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n"),  # leads to itself
        (
            "a.m3u8",
            "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nwhole.ts\n",
        ),  # of a stream that is to go on
        ("a.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"),
    ],
)
def test_a_list_of_videos_is_none(tmp_path: Path, name: str, content: str) -> None:
    """It would be waited for without end, or be answered from files that are not watched for changes."""
    write_video(tmp_path / "whole.avi", 3)
    write_h264(tmp_path / "whole.ts", STEADY[:3])
    os.mkfifo(tmp_path / "pipe")
    path = tmp_path / name
    path.write_text(content)
    for act in (probe_video, lambda path: list(read_video(path))):
        with pytest.raises(
            VideoError,
            match=rf"{name}: expected a video, got none that FFmpeg can open \(it is of another format",
        ):
            act(path)


def test_a_header_without_frames_is_one_line(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 0)
    with pytest.raises(VideoError, match=r"a.avi: expected a video, got"):
        probe_video(path)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(VideoError, match=r"a.wav: expected a video, got no pictures"):
        probe_video(path)


def test_an_unknown_codec_is_one_line(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 5)
    path.write_bytes(path.read_bytes().replace(b"MJPG", b"QZQZ"))
    with pytest.raises(VideoError, match=r"a.avi: expected a video, got a codec that FFmpeg does not know"):
        probe_video(path)


def test_no_frame_is_kept(tmp_path: Path) -> None:
    given = []
    for frame in read_video(write_video(tmp_path / "a.avi", 60)):
        given.append(weakref.ref(frame.pixels))
        assert sum(each() is not None for each in given) <= 2
    assert len(given) == 60


def test_unknown_choice(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown on_broken 'retry'"):
        list(read_video(tmp_path / "a.avi", "retry"))
