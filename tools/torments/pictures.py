"""Pictures and videos."""

import io
import random
import struct
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from reidar_plugin.data.frames import read_picture
from reidar_plugin.inference.video import probe_video, read_video

from .campaign import WrongAnswerError
from .mutations import break_bytes

__all__ = ["Pictures", "Videos"]


class Pictures:
    """``read_picture``: JPEGs of every kind, and other files under their name."""

    name, names_file = "pictures", True

    def prepare(self, folder: Path) -> None:
        """One picture in many forms."""
        cv2.setNumThreads(0)
        pixels = np.random.default_rng(0).integers(0, 255, (64, 32, 3), dtype=np.uint8)
        picture = Image.fromarray(cv2.GaussianBlur(pixels, (5, 5), 2))
        turned = Image.Exif()
        turned[0x0112] = 6
        forms = [
            ("JPEG", picture, {}),
            ("JPEG", picture, {"progressive": True}),
            ("JPEG", picture, {"exif": turned.tobytes()}),
            ("JPEG", picture.convert("CMYK"), {}),
            ("JPEG", picture.convert("L"), {}),
            ("PNG", Image.fromarray(np.uint16(pixels[..., 0]) * 257), {}),
            ("PNG", picture.convert("RGBA"), {}),
            ("GIF", picture.convert("P"), {}),
            ("BMP", picture, {}),
        ]
        self.forms = [_encoded(form, each, options) for form, each, options in forms]

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """Bytes changed, or a header that promises a huge picture."""
        data = chance.choice(self.forms)
        at = data.find(b"\xff\xc0")
        if at > 0 and chance.random() < 0.1:
            size = chance.choice(((65535, 65535), (0, 32), (64, 0), (65535, 1)))
            data = data[: at + 5] + struct.pack(">HH", *size) + data[at + 9 :]
        elif chance.random() < 0.95:
            data = break_bytes(data, chance)
        path = folder / "case.jpg"
        path.write_bytes(data)
        return path

    def ask(self, path: Path) -> None:
        """Pixels."""
        found = read_picture(str(path))
        if found.dtype != np.uint8 or found.ndim != 3 or found.shape[2] != 3 or not found.size:
            raise WrongAnswerError(f"{found.dtype} of shape {found.shape}")


class Videos:
    """``probe_video`` and ``read_video``."""

    name, names_file = "videos", True

    def prepare(self, folder: Path) -> None:
        """A second of noise in two formats, and in one whose index comes first."""
        self.files = []
        for ending, codec in ((".avi", "MJPG"), (".mp4", "mp4v")):
            path = folder / f"whole{ending}"
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 10, (64, 48))
            noise = np.random.default_rng(0)
            for _ in range(10):
                writer.write(noise.integers(0, 255, (48, 64, 3), dtype=np.uint8))
            writer.release()
            self.files.append(path)
        self.files.append(_index_first(path, folder / "first.mp4"))

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """Bytes changed, or the end cut off."""
        whole = chance.choice(self.files)
        if chance.random() < 0.1:
            path, content = folder / f"cut{whole.suffix}", whole.read_bytes()
            path.write_bytes(content[: chance.randrange(len(content) - 16)])  # of AVI, less may be a habit
            return path
        path = folder / f"case{whole.suffix}"
        path.write_bytes(break_bytes(whole.read_bytes(), chance))
        return path

    def ask(self, path: Path) -> None:
        """Frames in order, all of one size a frame; of an end that is gone something is said."""
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            probe_video(path)
            before = -1
            for frame in read_video(path, "skip"):
                if frame.index <= before or frame.pixels.dtype != np.uint8:
                    raise WrongAnswerError(f"frame {frame.index} after {before}")
                before = frame.index
        if path.stem == "cut" and not told:
            raise WrongAnswerError("its end is cut off, and nothing was said")


def _index_first(video: Path, path: Path) -> Path:
    import av

    with av.open(str(video)) as given, av.open(str(path), "w", options={"movflags": "faststart"}) as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    return path


def _encoded(form: str, picture: Image.Image, options: dict[str, object]) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()
