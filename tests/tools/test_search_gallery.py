"""tools/search_gallery.py, run as a user runs it."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reidar_plugin.inference.calibration import fit_calibration
from reidar_plugin.inference.gallery import open_gallery
from tests.inference.gallery_street import MODEL, START, features_of, rows_of, write_gallery
from tests.io.test_arrays import promising
from tests.tools.guarded import guarded

pytest.importorskip("lancedb", reason="the extra 'gallery' is not installed")

main = guarded(runpy.run_path(str(Path(__file__).resolve().parents[2] / "tools/search_gallery.py"))["main"])


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Tracklet i begins 10 i minutes after 8:00 UTC on the first of May 2026 and rides at i / 100; none of every 7th."""
    folder = tmp_path_factory.mktemp("tool") / "gallery"
    write_gallery(folder, 100)
    return str(folder)


def numbers(text: str) -> list[int]:
    """Of the tracklets in the table, in its order."""
    return [
        int(line.split("|")[1].strip().rpartition("/")[2]) for line in text.splitlines() if "morning/" in line
    ]


def test_who_was_here_riding_between_nine_and_ten(gallery: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([gallery, "--action", "riding", "--between", "19:00", "20:00"]) == 0
    # 19:00 is 11 hours after the first, tracklet 66; 62, 69 ... have no actions. The last is of 00:30 on the second of May
    text = capsys.readouterr().out
    assert numbers(text) == [66, 67, 68, 70, 71]
    assert "2026-05-01 19:00:00" in text
    assert "riding 0.66" in text
    assert "5 tracklets" in text


def test_what_was_asked_for_is_shown_however_unlikely(
    gallery: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tracklet i walks at 1 - i / 100; riding is not asked for."""
    assert main([gallery, "--action", "walking=0.0001", "--from", "2026-05-02", "--top", "1"]) == 0
    assert "riding 0.96, walking 0.04" in capsys.readouterr().out
    assert main([gallery, "--from", "2026-05-02", "--top", "1"]) == 0
    assert "walking" not in capsys.readouterr().out


def test_hours_are_of_the_zone(gallery: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([gallery, "--between", "10", "10:30", "--zone", "Europe/Berlin"]) == 0  # two hours before UTC
    text = capsys.readouterr().out
    assert numbers(text) == [0, 1, 2]
    assert "2026-05-01 10:00:00" in text


def test_hours_over_midnight_and_the_day_before(gallery: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([gallery, "--between", "23:50", "00:10"]) == 0
    expected = [
        i for i in range(100) if (START + 600 * i) % 86400 >= 86400 - 600 or (START + 600 * i) % 86400 < 600
    ]
    assert numbers(capsys.readouterr().out) == expected == [95, 96]
    assert main([gallery, "--between", "23:50", "00:15", "--from", "2026-05-02"]) == 0
    assert numbers(capsys.readouterr().out) == [96, 97]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--to", "2026-05-01"], list(range(96))),
        (["--from", "2026-05-02"], [96, 97, 98, 99]),
        (["--from", "2026-05-01T08:20", "--to", "2026-05-01T08:40"], [2, 3]),
        (["--from", "2026-05-01T08:20", "--to", "2026-05-01", "--between", "8:30", "9:00"], [3, 4, 5]),
        (["--action", "riding=0.97"], [98, 99]),  # nothing is known of 97
        (["--action", "riding=0.49", "walking=0.49"], [49, 50, 51]),
        (["--camera", "o'yard", "--to", "2026-05-01T08:40"], [1, 3]),
        (["--identity", "p4", "p2", "--to", "2026-05-01T09:20"], [2, 4, 7]),
    ],
)
def test_filters(
    gallery: str, capsys: pytest.CaptureFixture[str], options: list[str], expected: list[int]
) -> None:
    assert main([gallery, "--top", "100", *options]) == 0
    assert numbers(capsys.readouterr().out) == expected


def test_like_a_tracklet_and_like_a_feature(
    gallery: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from reidar_plugin.inference.gallery import open_gallery

    with open_gallery(gallery) as opened:
        feature = opened.feature("morning/gate/40")
        nearest = [int(match.row.id.rpartition("/")[2]) for match in opened.search(feature, 100)]
    assert main([gallery, "--like", "morning/gate/40", "--top", "5"]) == 0
    text = capsys.readouterr().out
    assert numbers(text) == nearest[1:6]  # without itself
    assert "distance" in text
    np.save(tmp_path / "query.npy", feature[None])
    assert main([gallery, "--feature", str(tmp_path / "query.npy"), "--camera", "gate", "--top", "3"]) == 0
    assert numbers(capsys.readouterr().out) == [i for i in nearest if i % 2 == 0][:3]


def test_who_is_this_or_nobody(gallery: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nine strangers were as far as 1 ... 9: at 30 % false alarms the third is the first who is too far."""
    from reidar_plugin.inference.gallery import open_gallery

    strangers = tuple(float(n) for n in range(1, 10))
    made = fit_calibration(*two_people(), model=MODEL.fingerprint)
    made = replace(made, strangers=strangers, width=8)
    made.save(tmp_path / "c.json")
    with open_gallery(gallery) as opened:
        feature = opened.feature("morning/gate/40")
    far = feature + np.float32(100)
    np.save(tmp_path / "two.npy", np.stack([feature, far]))
    line = [gallery, "--calibration", str(tmp_path / "c.json"), "--false-alarms", "0.3"]
    assert main([*line, "--feature", str(tmp_path / "two.npy")]) == 0
    one, two, _, last = capsys.readouterr().out.splitlines()
    assert one == "row 1: p0; nearest morning/gate/40 at 0, false alarms 10.0%"
    assert two.startswith("row 2: nobody we know; nearest morning/")
    assert two.endswith("false alarms 100.0%")
    assert last.startswith(
        "1 of 2 known; known up to 3 (euclidean), 0.3 of strangers too; the gallery holds 100"
    )
    np.save(tmp_path / "far.npy", far)
    assert main([*line, "--feature", str(tmp_path / "far.npy")]) == 1
    assert main([*line, "--like", "morning/gate/40"]) in (0, 1)
    assert "nearest morning/gate/40 " not in capsys.readouterr().out  # not itself
    assert main([*line, "--like", "morning/gate/40", "--without-run", "morning"]) == 1
    assert "nobody we know; there is no such tracklet" in capsys.readouterr().out
    for wrong, message in (
        (
            [*line[:3], "--like", "morning/gate/40", "--false-alarms", "0.05"],
            "expected one from 0.1000 to 1 (--false-alarms)",
        ),
        (line, "name them, with --like or --feature"),
    ):
        assert main(wrong) == 2
        assert message in capsys.readouterr().err
    replace(made, model="another").save(tmp_path / "c.json")
    assert main([*line, "--like", "morning/gate/40"]) == 2
    assert "for model another, got features of model-a" in capsys.readouterr().err


def two_people() -> tuple[np.ndarray, np.ndarray]:
    return np.array([[0.0] * 8, [0.1] * 8, [3.0] * 8, [3.2] * 8]), np.array([0, 0, 1, 1])


def test_the_first_ones_are_shown(gallery: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([gallery, "--top", "2"]) == 0
    text = capsys.readouterr().out
    assert numbers(text) == [0, 1]
    assert "100 tracklets, the first 2 are shown (--top)" in text


def test_nothing_found(gallery: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([gallery, "--camera", "gate", "--to", "2026-04-01"]) == 1
    assert "0 tracklets" in capsys.readouterr().out
    assert main([gallery, "--from", "2027-01-01", "--between", "9", "10"]) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--action", "ridin"],
            "unknown action 'ridin'; did you mean 'riding'? the gallery knows walking, riding",
        ),
        (
            ["--camera", "gate", "gatee"],
            "--camera: unknown name 'gatee'; did you mean 'gate'? the gallery knows gate, o'yard",
        ),
        (["--camera", "zzz"], "--camera: unknown name 'zzz'; the gallery knows gate, o'yard"),
        (
            ["--identity", "p44"],
            "--identity: unknown name 'p44'; did you mean 'p4'? the gallery knows p0, p1, p2, p3, p4",
        ),
        (["--action", "riding=much"], "--action riding=much: expected a likelihood after '=', got 'much'"),
        (["--between", "9", "25:00"], "--between: expected a time of day such as 9:00, got '25:00'"),
        (["--between", "9", "ten"], "--between: expected a time of day such as 9:00, got 'ten'"),
        (["--between", "9" * 20, "10:00"], "--between: expected a time of day such as 9:00, got '999"),
        (["--from", "May"], "--from: expected 2026-05-01 or 2026-05-01T09:30, got 'May'"),
        (["--to", "9999-12-31"], "--to: expected 2026-05-01 or 2026-05-01T09:30, got '9999-12-31'"),
        (
            ["--from", "2026-05-02", "--to", "2026-05-01"],
            "--to 2026-05-01: expected a time after --from 2026-05-02",
        ),
        (["--zone", "Mars/Base"], "--zone: unknown time zone 'Mars/Base'"),
        (["--like", "morning/gate/1000"], "no tracklet has the id 'morning/gate/1000'"),
        (["--top", "0"], "--top: expected a number above 0, got 0"),
        (["--feature", "none.npy"], "none.npy"),
    ],
)
def test_errors_are_one_line(
    gallery: str, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert main([gallery, *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_a_feature_file_is_never_unpickled(
    gallery: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "query.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert main([gallery, "--feature", str(tmp_path / "query.npy")]) == 2
    assert "query.npy: expected features saved by numpy.save (" in capsys.readouterr().err
    (tmp_path / "query.npy").write_bytes(promising("(1099511627776,)"))
    assert main([gallery, "--feature", str(tmp_path / "query.npy")]) == 2
    assert "which does not take the 64 bytes that are there" in capsys.readouterr().err
    np.save(tmp_path / "query.npy", np.zeros((2, 8), np.float32))
    assert main([gallery, "--feature", str(tmp_path / "query.npy")]) == 2
    assert "expected one feature, (D,), or --calibration, got 2" in capsys.readouterr().err


def test_a_missing_gallery(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert "none: expected a gallery, there is none" in capsys.readouterr().err


def test_an_action_is_said_from_the_models_own_threshold_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tracklet i walks at 1 - i / 100 and rides at i / 100; none of every 7th."""
    write_gallery(tmp_path / "g", 60, MODEL._replace(thresholds=(0.9, 0.52)))
    assert main([str(tmp_path / "g"), "--action", "riding"]) == 0
    text = capsys.readouterr().out
    assert numbers(text) == [52, 53, 54, 56, 57, 58, 59]
    assert "walking" not in text
    assert main([str(tmp_path / "g"), "--action", "walking"]) == 0
    assert numbers(capsys.readouterr().out) == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10]


def test_a_terminal_obeys_no_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters of a gallery are shown, also in what is refused."""
    odd = rows_of(1)[0]._replace(id="run/\x1b[2Jgate/0", source="a\u202eb.mp4", identity="\x07p")
    with open_gallery(tmp_path / "g", MODEL, write=True) as gallery:
        gallery.add([odd], features_of(1))
    assert main([str(tmp_path / "g")]) == 0
    text = capsys.readouterr().out
    assert r"run/\x1b[2Jgate/0" in text
    assert r"a\u202eb.mp4" in text
    assert main([str(tmp_path / "g"), "--identity", "q"]) == 2
    error = capsys.readouterr().err
    assert r"\x07p" in error
    assert all(each.isprintable() for each in (text + error).replace("\n", ""))
