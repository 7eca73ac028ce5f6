"""cameras.yaml: what is written comes back, what is wrong is named."""

from datetime import datetime, timezone
from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError, MissingFileError
from reidar_plugin.inference.cameras import Camera, read_cameras, start_of

TWO = """
cameras:
  - {name: gate, video: a/gate.mp4, tracks: gate.txt, start: 2026-05-01T09:00:00+02:00}
  - {name: the yard, video: /videos/yard.mp4, start: "2026-05-01T07:00:10Z"}
"""


def read(tmp_path: Path, text: str) -> list[Camera]:
    path = tmp_path / "cameras.yaml"
    path.write_text(text)
    return read_cameras(path)


def test_two_cameras(tmp_path: Path) -> None:
    gate, yard = read(tmp_path, TWO)
    seven = datetime(2026, 5, 1, 7, tzinfo=timezone.utc).timestamp()
    assert gate == Camera("gate", tmp_path / "a/gate.mp4", tmp_path / "gate.txt", seven, True)
    assert yard == Camera("the yard", Path("/videos/yard.mp4"), None, seven + 10, True)


def test_starts() -> None:
    assert start_of(12, "x") == (12.0, False)
    assert start_of("1.5", "x") == (1.5, False)
    for wrong in ("noon", "2026-05-01T09:00:00", True, None, [1]):
        with pytest.raises(ConfigError, match=r"x: expected seconds, or a time such as 2026"):
            start_of(wrong, "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cameras: [", "expected YAML"),
        ("- a", "expected 'cameras:' and a list"),
        ("cameras: []", "expected 'cameras:' and a list"),
        ("cameras: [{name: a, video: b, track: c}]", "unknown key 'track'; did you mean 'tracks'"),
        ("cameras: [{name: a}]", "has no 'video'"),
        (
            f"cameras: [{{name: a, video: {'b' * 5000}}}]",
            r"expected the path of a file for 'video', got 'b+ \.\.\. b+'",
        ),
        ("cameras: [{name: ../a, video: b}]", r"camera '\.\./a': expected a name"),
        ("cameras: [{name: a, video: b}, {name: a, video: c}]", "camera 'a' comes twice"),
        (
            "cameras: [{name: a, video: b}, {name: c, video: d, start: 2026-05-01T09:00:00Z}]",
            "every start or in none",
        ),
    ],
)
def test_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"none\.yaml cannot be read"):
        read_cameras(tmp_path / "none.yaml")


@pytest.mark.parametrize("name", ["../gate", "/gate", "..", "ga\\nte", "g" * 61, "gate/x", "~", "\\0"])
def test_a_name_that_is_none_of_a_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        ConfigError, match=r"cameras\.yaml: (camera .* at most 60 letters|.* no text can have)"
    ):
        read(tmp_path, f'cameras: [{{name: "{name}", video: a.mp4}}]')


@pytest.mark.parametrize(
    "start",
    [
        ".inf",
        "1e300",
        "-.inf",
        ".nan",
        "9" * 18,
        "9" * 400,
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+02:00",
    ],
)
def test_a_start_that_is_no_time(tmp_path: Path, start: str) -> None:
    with pytest.raises(
        ConfigError, match=r"cameras\.yaml: (start of 'gate': expected seconds|.* than 64 bits)"
    ):
        read(tmp_path, f"cameras: [{{name: gate, video: a.mp4, start: {start}}}]")


def test_lists_without_end(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cameras\.yaml: expected YAML .*nested too deeply"):
        read(tmp_path, "[" * 5000)
