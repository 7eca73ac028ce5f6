"""Files to frames: every kind of picture, every way to be broken, and what takes its place."""

import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from PIL import Image

from reidar_plugin.data import frames
from reidar_plugin.data.frames import read_clip, read_frames, read_picture, resize_into
from reidar_plugin.errors import ConfigError, PictureError


def smooth(height: int = 64, width: int = 32, seed: int = 0) -> np.ndarray:
    """A picture that survives JPEG: noise without high frequencies."""
    noise = np.random.default_rng(seed).integers(0, 256, (8, 4, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))


def save(path: Path, picture: np.ndarray, **options: Any) -> str:
    Image.fromarray(picture).save(path, **options)
    return str(path)


def tracklet(folder: Path, n: int, broken: dict[int, bytes | None] | None = None) -> list[str]:
    """n pictures, frame i in the grey 20 i; ``broken`` gives other bytes, None no file."""
    paths = [save(folder / f"{i}.png", np.full((8, 4, 3), 20 * i, np.uint8)) for i in range(n)]
    for place, data in (broken or {}).items():
        Path(paths[place]).unlink() if data is None else Path(paths[place]).write_bytes(data)
    return paths


def greys(out: np.ndarray) -> list[int]:
    assert (out == out[:, :1, :1, :1]).all()
    return (out[:, 0, 0, 0] // 20).tolist()


# What can be read


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp"])
def test_decodes_as_pil_does(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"a.{suffix}", smooth())
    expected = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert read_picture(path).dtype == np.uint8
    assert np.abs(read_picture(path) - expected).max() <= 2  # decoders may round another way


def test_red_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.png", np.full((4, 4, 3), (200, 10, 30), np.uint8))
    assert read_picture(path)[0, 0].tolist() == [200, 10, 30]
    monkeypatch.setattr(frames, "_RGB", cv2.IMREAD_COLOR)  # OpenCV before 4.11
    assert read_picture(path)[0, 0].tolist() == [200, 10, 30]


def test_grey_alpha_palette_sixteen_bits_and_turned_ones(tmp_path: Path) -> None:
    grey = np.arange(32, dtype=np.uint8).reshape(8, 4)
    assert read_picture(save(tmp_path / "g.png", grey))[..., 1].tolist() == grey.tolist()
    assert read_picture(save(tmp_path / "g.jpg", np.full((8, 8), 70, np.uint8)))[3, 3].tolist() == [70] * 3
    rgba = np.dstack([np.full((8, 4, 3), (1, 2, 3), np.uint8), np.zeros((8, 4), np.uint8)])
    assert read_picture(save(tmp_path / "a.png", rgba))[0, 0].tolist() == [1, 2, 3]
    Image.fromarray(grey).convert("P").save(tmp_path / "p.png")
    assert read_picture(str(tmp_path / "p.png"))[..., 0].tolist() == grey.tolist()
    cv2.imwrite(str(tmp_path / "s.png"), grey.astype(np.uint16) * 257)
    assert read_picture(str(tmp_path / "s.png"))[..., 0].tolist() == grey.tolist()
    exif = Image.Exif()
    exif[274] = 6  # turn by a quarter: PIL, and so the host, do not
    turned = save(tmp_path / "e.jpg", smooth(16, 8), exif=exif)
    assert read_picture(turned).shape == (16, 8, 3)


def test_bytes_after_the_end_of_a_jpeg_do_no_harm(tmp_path: Path) -> None:
    path = Path(save(tmp_path / "a.jpg", smooth()))
    whole = read_picture(str(path))
    path.write_bytes(path.read_bytes() + b"\0" * 100)
    assert np.array_equal(read_picture(str(path)), whole)


@pytest.mark.parametrize("subsampling", [0, 1, 2])  # 4:4:4, 4:2:2, 4:2:0
@pytest.mark.parametrize("kind", ["plain", "progressive", "grey", "odd", "four colours"])
def test_a_jpeg_has_the_bits_that_opencv_gives(tmp_path: Path, kind: str, subsampling: int) -> None:
    picture = smooth(65, 33) if kind == "odd" else smooth()
    noise = np.random.default_rng(2).integers(-20, 21, picture.shape)
    picture = (picture + noise).clip(0, 255).astype(np.uint8)
    picture = picture[..., 0] if kind == "grey" else picture
    options = {} if kind == "grey" else {"subsampling": subsampling}
    picture = np.dstack([picture, 255 - picture[..., :1]]) if kind == "four colours" else picture
    mode = "CMYK" if kind == "four colours" else None
    options |= {"quality": 70, "progressive": kind == "progressive"}
    Image.fromarray(picture, mode).save(tmp_path / "a.jpg", **options)
    path = str(tmp_path / "a.jpg")
    expected = cv2.cvtColor(cv2.imread(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert np.array_equal(read_picture(path), expected)


def test_a_jpeg_of_the_wanted_size_is_decoded_where_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imdecode", None)  # not asked
    path = save(tmp_path / "a.jpg", smooth())
    clip = np.full((3, 64, 32, 3), 7, np.uint8)
    into = clip[1]
    assert read_picture(path, into) is into
    assert np.array_equal(into, read_picture(path))
    assert (clip[[0, 2]] == 7).all()
    for other in (np.zeros((32, 64, 3), np.uint8), np.zeros((80, 40, 3), np.uint8)):
        assert np.array_equal(read_picture(path, other), into)  # of another size: left alone
        assert not other.any()


def test_a_jpeg_that_simplejpeg_refuses_goes_to_opencv(tmp_path: Path) -> None:
    path = Path(save(tmp_path / "a.jpg", smooth()))
    whole, data = read_picture(str(path)), path.read_bytes()
    first = int.from_bytes(data[4:6], "big") + 4  # after the first segment
    path.write_bytes(data[:first] + b"\1\2\3" + data[first:])  # a flaw without harm
    with pytest.raises(ValueError, match="extraneous"):
        simplejpeg.decode_jpeg(path.read_bytes(), "RGB")
    assert np.array_equal(read_picture(str(path), np.zeros_like(whole)), whole)


def test_a_header_that_promises_too_much_takes_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(cut(".jpg", 1.0))
    frame = data.index(b"\xff\xc0") + 5  # height and width, two bytes each
    data[frame : frame + 4] = b"\xff\xdc\xff\xdc"  # 65,500
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    asked: list[object] = []
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda *a, **k: asked.append(a))
    with pytest.raises(PictureError, match=r"got a JPEG of \d+ bytes that says 65,500 x 65,500 pixels"):
        read_picture(str(path))
    assert not asked


# What cannot


def cut(suffix: str, share: float) -> bytes:
    ok, data = cv2.imencode(suffix, smooth())
    assert ok
    return data.tobytes()[: int(len(data) * share)]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (None, "No such file"),
        (b"", "an empty file"),
        (b"<html>not found</html>", "something that is no picture of 22 bytes"),
        (b"\0" * 4096, "no picture of 4096 bytes"),
        (cut(".jpg", 0.6), "a damaged or cut-off JPEG"),
        (cut(".jpg", 0.999), "a damaged or cut-off JPEG"),
        (cut(".png", 0.5), "a damaged or cut-off PNG"),
        (b"\xff\xd8\xff\xd9", "a damaged or cut-off JPEG of 4 bytes"),
        (b"BM" + b"\xff" * 60, "a damaged or cut-off BMP"),
    ],
    ids=[
        "missing",
        "empty",
        "html",
        "zeros",
        "cut jpeg",
        "last byte",
        "cut png",
        "hollow jpeg",
        "absurd bmp",
    ],
)
def test_a_broken_picture_is_named_in_one_line(tmp_path: Path, data: bytes | None, what: str) -> None:
    path = tmp_path / "0001C1T0001F001.jpg"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(PictureError) as caught:
        read_picture(str(path))
    message = str(caught.value)
    assert message.startswith(f"{path}: expected a picture, got ")
    assert what in message
    assert "\n" not in message


def test_a_folder_and_an_impossible_name_are_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="Is a directory"):
        read_picture(str(tmp_path))
    with pytest.raises(PictureError, match="null"):
        read_picture("a\0b.jpg")


def test_a_cut_jpeg_is_found_before_the_decoder_sees_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def lenient(*_: object) -> np.ndarray:  # as OpenCV before 5: the rest is grey, and no word
        return smooth()

    monkeypatch.setattr(cv2, "imdecode", lenient)
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lenient)
    path = tmp_path / "a.jpg"
    path.write_bytes(cut(".jpg", 0.9))
    with pytest.raises(PictureError, match="cut-off JPEG"):
        read_picture(str(path))


def test_damaged_files_give_a_picture_or_an_error(tmp_path: Path) -> None:
    """In a process of its own: the codecs complain on its stderr, and a crash would be seen."""
    script = tmp_path / "damage.py"
    script.write_text(
        "import sys, cv2, numpy as np\n"
        "from pathlib import Path\n"
        "from reidar_plugin.data.frames import read_picture\n"
        "from reidar_plugin.errors import PictureError\n"
        "rng = np.random.default_rng(0)\n"
        "base = rng.integers(0, 256, (16, 8, 3)).astype(np.uint8)\n"
        "files = [cv2.imencode(s, base)[1].tobytes() for s in ('.jpg', '.png')]\n"
        "path, good, bad = Path(sys.argv[1]), 0, 0\n"
        "for i in range(600):\n"
        "    data = bytearray(files[i % 2])\n"
        "    for _ in range(rng.integers(1, 8)):\n"
        "        data[rng.integers(len(data))] = rng.integers(256)\n"
        "    path.write_bytes(data[: rng.integers(1, len(data) + 1)] if i % 3 == 0 else data)\n"
        "    try:\n"
        "        shape = read_picture(str(path)).shape\n"
        "        assert len(shape) == 3 and shape[2] == 3\n"
        "        good += 1\n"
        "    except PictureError:\n"
        "        bad += 1\n"
        "print(good, bad)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "x")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ
        | {"PYTHONPATH": ".", "OPENCV_IO_MAX_IMAGE_PIXELS": "1000000"},  # a damaged size is no work
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    good, bad = map(int, done.stdout.split())
    assert good > 10
    assert bad > 200


# Sizes


def test_resizes_near_to_pil_bicubic(tmp_path: Path) -> None:
    for height, width in ((256, 128), (512, 256), (128, 64), (200, 50)):
        picture = smooth(height, width)
        noise = np.random.default_rng(1).integers(-8, 9, picture.shape)
        picture = (picture + noise).clip(0, 255).astype(np.uint8)
        out = np.empty((224, 112, 3), np.uint8)
        resize_into(out, picture)
        expected = np.asarray(Image.fromarray(picture).resize((112, 224), Image.Resampling.BICUBIC)).astype(
            int
        )
        assert np.abs(out - expected).mean() < 1.5, (height, width)


def test_shrinking_much_averages() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[::2] = 200  # stripes: a kernel of four rows that leaps eight would give 0 or 200 or so
    out = np.empty((8, 8, 3), np.uint8)
    resize_into(out, picture)
    assert (out == 100).all()
    resize_into(out, picture, "linear")
    assert out.max() == out.min() == 100
    small = np.empty((60, 60, 3), np.uint8)
    resize_into(small, picture)
    assert np.array_equal(small, cv2.resize(picture, (60, 60), interpolation=cv2.INTER_CUBIC))


def test_writes_in_place_and_copies_what_fits() -> None:
    picture = smooth(16, 8)
    batch = np.full((3, 8, 4, 3), 7, np.uint8)
    resize_into(batch[1], picture)
    assert np.array_equal(batch[1], cv2.resize(picture, (4, 8), interpolation=cv2.INTER_AREA))
    assert (batch[[0, 2]] == 7).all()
    same = np.empty_like(picture)
    resize_into(same, picture)
    assert np.array_equal(same, picture)


# Clips


def test_reads_the_frames_that_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = tracklet(tmp_path, 6)
    opened: list[str] = []

    def noted(path: str, into: np.ndarray) -> np.ndarray:
        opened.append(path)
        return read_picture(path, into)

    monkeypatch.setattr(frames, "read_picture", noted)
    out = np.zeros((5, 8, 4, 3), np.uint8)
    assert read_clip(paths, np.array([4, 1, 4, 4, 5]), out) == 0
    assert greys(out) == [4, 1, 4, 4, 5]
    assert opened == [paths[4], paths[1], paths[5]]  # a frame that comes again is not decoded again
    assert greys(read_frames(paths, 8, 4)) == [0, 1, 2, 3, 4, 5]


def test_stops_at_a_broken_picture(tmp_path: Path) -> None:
    paths = tracklet(tmp_path, 4, {2: b""})
    with pytest.raises(PictureError, match=r"2.png: .*empty"):
        read_frames(paths, 8, 4)


@pytest.mark.parametrize(
    ("broken", "indices", "expected", "replaced"),
    [
        ({2: None}, [2], [1], 1),  # the earlier of two that are as near
        ({2: None, 1: b""}, [2, 3], [3, 3], 1),  # then the later
        ({1: b"x", 2: None, 3: b""}, [2], [0], 1),  # then two away, the earlier again
        ({0: None, 1: None}, [0], [2], 1),
        (dict.fromkeys(range(5), b""), [0], [5], 1),  # as far as can be
        ({5: None, 4: b"?"}, [5, 4], [3, 3], 2),
        ({2: None}, [2, 2, 0, 2], [1, 1, 0, 1], 3),  # counted as often as it is seen
        ({3: None}, [0, 1], [0, 1], 0),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_skip_takes_the_nearest_that_can_be_read(
    tmp_path: Path, broken: dict[int, bytes | None], indices: list[int], expected: list[int], replaced: int
) -> None:
    paths = tracklet(tmp_path, 6, broken)
    out = np.zeros((len(indices), 8, 4, 3), np.uint8)
    assert read_clip(paths, indices, out, on_broken="skip") == replaced
    assert greys(out) == expected


def test_skip_says_what_it_put_where(tmp_path: Path) -> None:
    paths = tracklet(tmp_path, 3, {1: b""})
    with pytest.warns(RuntimeWarning, match=r"1\.png: .*empty file; replaced by .*0\.png"):
        read_frames(paths, 8, 4, "skip")


def test_a_tracklet_of_broken_pictures_is_an_error_even_then(tmp_path: Path) -> None:
    paths = tracklet(tmp_path, 3, {0: b"", 1: None, 2: b"x"})
    with pytest.raises(
        PictureError, match=r"1\.png: .*; and none of the 3 frames of its tracklet can be read"
    ):
        read_clip(paths, [1], np.zeros((1, 8, 4, 3), np.uint8), "skip")


def test_unknown_names(tmp_path: Path) -> None:
    paths = tracklet(tmp_path, 1)
    with pytest.raises(
        ConfigError, match=r"unknown on_broken 'skp'; did you mean 'skip'\? choose one of 'stop', 'skip'"
    ):
        read_frames(paths, 8, 4, "skp")
    with pytest.raises(
        ConfigError, match=r"interpolation 'lanczos'; choose one of 'cubic', 'linear', 'area'"
    ):
        read_frames(paths, 8, 4, interpolation="lanczos")


def test_a_png_that_promises_gigabytes_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(save(tmp_path / "a.png", smooth()))
    whole = path.read_bytes()
    at = whole.index(b"IDAT") - 4
    path.write_bytes(whole[:at] + b"\x7f\xff\xff\xff" + whole[at + 4 :])
    asked: list[bytes] = []
    monkeypatch.setattr(frames, "_decode", lambda data, *_: asked.append(data))
    with pytest.raises(PictureError, match=r"a damaged or cut-off PNG of \d+ bytes"):
        read_picture(str(path))
    assert asked == []
    path.write_bytes(whole)
    with pytest.raises(PictureError):
        read_picture(str(path))
    assert asked == [whole]


@pytest.mark.parametrize(
    "data",
    [
        cut(".jpg", 1.0).replace(struct.pack(">HH", 64, 32), struct.pack(">HH", 8000, 8000)),
        b"BM" + struct.pack("<IHHIIii", 100, 0, 0, 54, 40, 32000, 32000) + bytes(80),
        b"GIF89a" + struct.pack("<HH", 32000, 32000) + bytes(20),
        b"RIFF" + struct.pack("<I", 26) + b"WEBPVP8L" + struct.pack("<IBI", 14, 0x2F, 0x0FFFFFFF) + bytes(9),
        cut(".png", 1.0)[:16] + struct.pack(">II", 20000, 20000) + cut(".png", 1.0)[24:],
    ],
    ids=["jpeg", "bmp", "gif", "webp", "png"],
)
def test_few_bytes_that_promise_gigabytes_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    for module, name in ((cv2, "imdecode"), (simplejpeg, "decode_jpeg")):
        monkeypatch.setattr(module, name, None)  # not asked
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(
        PictureError, match=r"a: expected a picture, got a .* pixels, where at most 50,331,648 are read"
    ):
        read_picture(str(tmp_path / "a"))


def test_other_kinds_are_not_decoded(tmp_path: Path) -> None:
    """Their decoders make room for whatever a file says."""
    path = save(tmp_path / "a.tiff", smooth())
    with pytest.raises(PictureError, match=r"no picture of .* bytes; JPEG, PNG, BMP, GIF and WebP are read"):
        read_picture(path)
