"""Which frames make a clip: against loop-written definitions, by hand, and as docs/clips.md says.

``python tests/data/test_clips.py`` writes the tables of docs/clips.md anew.
"""

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from reidar_plugin.data.clips import TEST_CLIPS, TRAIN_CLIPS, draw_clip, tracklet_clips
from reidar_plugin.errors import ConfigError

SIZES = (1, 3, 4, 5, 165)
Definition: TypeAlias = Callable[[int, int], list[list[int]]]
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "clips.md"
MARKS = "<!-- made by tests/data/test_clips.py: begin -->", "<!-- end -->"


def drawn(scheme: str, n: int, length: int, times: int = 400) -> list[list[int]]:
    rng = np.random.default_rng(0)
    return [draw_clip(n, length, rng, scheme).tolist() for _ in range(times)]


# Training


def parts_definition(n: int, length: int) -> list[list[int]]:
    """Frames of each part; an empty part gets the frame where it begins."""
    found = []
    for i in range(length):
        begin, end = math.floor(i * n / length), math.floor((i + 1) * n / length)
        found.append([f for f in range(n) if begin <= f < end] or [begin])
    return found


def released_definition(n: int, length: int) -> list[list[int]]:
    size = n // length if n >= length else 1
    found = []
    for i in range(length):
        end = n if i == length - 1 else (i + 1) * size
        found.append(sorted({min(f, n - 1) for f in range(i * size, max(end, i * size + 1))}))
    return found


def constrained_definition(n: int, length: int) -> list[list[int]]:
    stride = math.ceil(n / length)
    return [sorted({min(i * stride + bias, n - 1) for bias in range(stride)}) for i in range(length)]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 8, 11, 13])
@pytest.mark.parametrize(
    ("scheme", "definition"),
    [
        ("parts", parts_definition),
        ("released_parts", released_definition),
        ("constrained", constrained_definition),
    ],
)
@pytest.mark.parametrize("length", [1, 4, 6])
def test_each_place_draws_from_its_part_and_from_all_of_it(
    scheme: str, definition: Definition, n: int, length: int
) -> None:
    clips = drawn(scheme, n, length)
    assert [sorted(set(place)) for place in zip(*clips, strict=True)] == definition(n, length)


def test_parts_are_drawn_evenly() -> None:
    counts = Counter(clip[1] for clip in drawn("parts", 20, 4, times=5000))
    assert sorted(counts) == [5, 6, 7, 8, 9]
    assert max(abs(count - 1000) for count in counts.values()) < 150  # 5 standard deviations


@pytest.mark.parametrize("n", [1, 3, 4, 5, 9])
def test_consecutive_frames_begin_anywhere_and_reach_the_last(n: int) -> None:
    expected = [[min(start + i, n - 1) for i in range(4)] for start in range(max(n - 4, 0) + 1)]
    assert sorted(set(map(tuple, drawn("consecutive", n, 4)))) == [tuple(clip) for clip in expected]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 9])
def test_random_frames_are_in_order_and_spread(n: int) -> None:
    clips = drawn("random", n, 4)
    assert all(clip == sorted(clip) for clip in clips)
    for clip in clips:
        counts = Counter(clip)
        uses = [counts[frame] for frame in range(n)]
        assert max(uses) - min(uses) <= 1
    assert {frame for clip in clips for frame in clip} == set(range(n))


@pytest.mark.parametrize("n", [31, 32, 33, 40])
def test_strided_frames_begin_anywhere_and_reach_the_last(n: int) -> None:
    clips = drawn("strided", n, 4)
    if n < 32:
        assert {clip[1] - clip[0] for clip in clips} > {1, 8}  # those of "random"
        return
    expected = [[start, start + 8, start + 16, start + 24] for start in range(n) if start + 24 < n]
    assert sorted(set(map(tuple, clips))) == [tuple(clip) for clip in expected]


@pytest.mark.parametrize("scheme", TRAIN_CLIPS)
def test_the_same_chance_draws_the_same_clip(scheme: str) -> None:
    first, second = (draw_clip(165, 4, np.random.default_rng(3), scheme) for _ in range(2))
    other = draw_clip(165, 4, np.random.default_rng(4), scheme)
    assert first.tolist() == second.tolist() != other.tolist()
    assert first.shape == (4,)
    assert first.dtype == np.int64


# Test


def consecutive_definition(n: int, length: int) -> list[list[int]]:
    clips = []
    for first in range(0, n, length):
        frames = [f for f in range(first, first + length) if f < n]
        while len(frames) < length:
            frames.append(frames[len(frames) - len([f for f in range(first, first + length) if f < n])])
        clips.append(frames)
    return clips


def interleaved_definition(n: int, length: int) -> list[list[int]]:
    stride = math.ceil(n / length)
    return [[min(r + k * stride, n - 1) for k in range(length)] for r in range(stride)]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 8, 9, 41, 164, 165, 166])
@pytest.mark.parametrize(
    ("scheme", "definition"),
    [("consecutive", consecutive_definition), ("interleaved", interleaved_definition)],
)
@pytest.mark.parametrize("length", [1, 4, 6])
def test_all_frames_are_cut_as_defined(scheme: str, definition: Definition, n: int, length: int) -> None:
    clips = tracklet_clips(n, length, scheme)
    assert clips.tolist() == definition(n, length)
    assert set(clips.ravel().tolist()) == set(range(n))


def test_by_hand() -> None:
    assert tracklet_clips(7, 4).tolist() == [[0, 1, 2, 3], [4, 5, 6, 4]]
    assert tracklet_clips(7, 4, "interleaved").tolist() == [[0, 2, 4, 6], [1, 3, 5, 6]]
    assert tracklet_clips(9, 4, "first_of_parts").tolist() == [[0, 2, 4, 6]]
    assert tracklet_clips(3, 4, "first_of_parts").tolist() == [[0, 0, 1, 2]]


def test_the_cap_keeps_the_first_clips() -> None:
    assert tracklet_clips(165, 4, cap=41).tolist() == tracklet_clips(165, 4).tolist()[:41]
    assert len(tracklet_clips(165, 4)) == 42
    assert len(tracklet_clips(165, 4, cap=50)) == 42
    assert len(tracklet_clips(2000, 4)) == 500


# Errors


def test_says_what_is_wrong() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(
        ConfigError,
        match=r"unknown choice of frames 'part'; did you mean 'parts'\? choose one of 'parts', 'rel",
    ):
        draw_clip(5, 4, rng, "part")
    with pytest.raises(
        ConfigError, match="'dense'; choose one of 'consecutive', 'interleaved', 'first_of_parts'"
    ):
        tracklet_clips(5, 4, "dense")
    with pytest.raises(ValueError, match="at least one frame, got 0"):
        draw_clip(0, 4, rng)
    with pytest.raises(ConfigError, match="at least one frame, got -1"):
        tracklet_clips(5, -1)
    with pytest.raises(ConfigError, match=r">= 0 .*got -2"):
        tracklet_clips(5, 4, cap=-2)


# The document


def shown_training(scheme: str, n: int) -> str:
    """What each place of a clip may be, e.g. ``0–40, 41–81, 82–122, 123–164``."""
    if scheme == "consecutive":
        starts = sorted({clip[0] for clip in drawn(scheme, n, 4, times=1500)})
        if len(starts) > 2:
            return f"s, s+1, s+2, s+3 with s in {starts[0]}–{starts[-1]}"
        return " or ".join(", ".join(map(str, clip)) for clip in sorted(set(map(tuple, drawn(scheme, n, 4)))))
    if scheme == "strided" and n == 165:
        return "s, s+8, s+16, s+24 with s in 0–140"
    if scheme == "random" and n == 165:
        return "4 different frames of 0–164, in order"
    places = [sorted(set(place)) for place in zip(*drawn(scheme, n, 4, times=1500), strict=True)]
    return ", ".join(f"{p[0]}–{p[-1]}" if len(p) > 1 else str(p[0]) for p in places)


def shown_test(scheme: str, n: int) -> str:
    clips = [", ".join(map(str, clip)) for clip in tracklet_clips(n, 4, scheme).tolist()]
    kept = clips if len(clips) <= 3 else [clips[0], clips[1], "…", clips[-1]]
    count = f"{len(clips)} clip" + ("s" if len(clips) > 1 else "")
    return f"{count}: " + " / ".join(kept)


def tables() -> str:
    lines = []
    for title, schemes, shown in (
        ("Training: `reidar.data.train_clips`", TRAIN_CLIPS, shown_training),
        ("Test: `reidar.data.test_clips`", TEST_CLIPS, shown_test),
    ):
        lines += [f"### {title}", "", "| scheme | n | frames |", "|---|---|---|"]
        lines += [f"| `{name}` | {n} | {shown(name, n)} |" for name in schemes for n in SIZES]
        lines.append("")
    return "\n".join(lines)


def test_the_document_shows_what_comes_out() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.split(MARKS[0])[1].split(MARKS[1])[0].strip() == tables().strip()


if __name__ == "__main__":
    head, rest = DOCUMENT.read_text(encoding="utf-8").split(MARKS[0])
    tail = rest.split(MARKS[1])[1]
    DOCUMENT.write_text(f"{head}{MARKS[0]}\n\n{tables()}\n{MARKS[1]}{tail}", encoding="utf-8")
