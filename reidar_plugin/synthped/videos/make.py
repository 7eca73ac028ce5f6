"""Write the camera videos of a street with their truth, and only then give the folder its name."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from reidar_plugin.errors import ConfigError, summary
from reidar_plugin.inference.mot_files import write_tracks
from reidar_plugin.io.atomic import replacing
from reidar_plugin.io.progress import progress
from reidar_plugin.synthped.people.looks import Look
from reidar_plugin.synthped.seeded_random import Array
from reidar_plugin.synthped.stamp import home_of, making, open_part, write_stamp
from reidar_plugin.synthped.videos.film import film
from reidar_plugin.synthped.videos.street import Street, StreetSize, plan_street
from reidar_plugin.synthped.videos.truth import action_rows, tracks_of, truth_of

__all__ = ["FORMAT", "make_videos"]

FORMAT = 1
"""Version of the videos: it goes up whenever the same seed gives other pictures or another truth."""

MORNING = datetime(2026, 5, 1, 8, tzinfo=timezone.utc)  # zero of the street's clock
ENCODER = {"crf": "20", "preset": "veryfast"}


def make_videos(
    root: str | Path, size: StreetSize | None = None, *, seed: int = 0, folder: str = "street"
) -> Path:
    """Make camera videos, or finish those that were left half done; a finished set is left as it is.

    In the folder: ``cameras.yaml`` (name, video, start time, files of each camera), ``camera-1.mp4`` ..., ``gt/`` (MOT
    ground truth, ids are people), ``tracks/`` (what a perfect tracker gives, an id a visit), ``actions.csv``,
    ``people.csv``. The same arguments give the same truth, and the same pictures before they are encoded.

    Args:
        root: where the folder goes.
        size: how much to film; 18 people, 3 cameras and a minute of 640 x 360 by default.
        seed: decides everything random; another seed gives other people and other places.
        folder: name of the folder.

    Returns:
        The folder.

    Raises:
        ConfigError: PyAV is missing, the folder is more than a name, or holds a set made with other arguments.
        FileExistsError: a folder that is no SynthPed set.
        UnwritableFileError: the disk is full, or fails.
    """
    size = size or StreetSize()
    home = home_of(root, folder)
    asked = {**asdict(size), "size": list(size.size)}
    stamp = {"format": FORMAT, "layout": "videos", "seed": seed, **asked}
    with making(home, stamp) as part:
        if part is not None:
            street = plan_street(seed, size)
            open_part(part, stamp)
            _write_tables(street, part)
            for camera in street.cameras:
                path = part / f"camera-{camera.number}.mp4"
                if not path.is_file():
                    frames = progress(f"drawing camera {camera.number}", film(street, camera), size.frames)
                    write_video(path, frames, size.rate, size.size)
            write_stamp(part, {**stamp, "finished": True})
    return home


def write_video(path: Path, frames: Iterable[Array], rate: int, size: tuple[int, int]) -> None:
    """Write frames, uint8 ``(H, W, 3)`` BGR, as H.264 in MP4; whole or not at all."""
    try:
        import av
    except ImportError as error:
        raise ConfigError(
            f"videos need PyAV ({summary(error)}): pip install 'reidar-plugin[video]'"
        ) from error
    with replacing(path) as part, av.open(str(part), "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=rate, options=ENCODER)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = Fraction(1, rate)
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, "bgr24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _write_tables(street: Street, part: Path) -> None:
    for folder in ("gt", "tracks"):
        (part / folder).mkdir(exist_ok=True)
    for camera in street.cameras:
        name = f"camera-{camera.number}.txt"
        write_tracks(part / "gt" / name, truth_of(street, camera.number))
        write_tracks(part / "tracks" / name, tracks_of(street, camera.number))
    heads = ("camera", "person", "track", "first_frame", "last_frame", "action")
    _write_csv(part / "actions.csv", heads, action_rows(street))
    _write_csv(part / "people.csv", ("person", "label", *Look.columns()), _people_rows(street))
    cameras = [
        _camera_entry(camera.number, start)
        for camera, start in zip(street.cameras, street.starts, strict=True)
    ]
    text = yaml.safe_dump({"cameras": cameras}, sort_keys=False)
    (part / "cameras.yaml").write_text(text, encoding="utf-8", newline="\n")


def _camera_entry(number: int, start: float) -> dict[str, str]:
    name = f"camera-{number}"
    began = MORNING + timedelta(milliseconds=round(1000 * start))
    return {
        "name": name,
        "video": f"{name}.mp4",
        "start": began.isoformat(timespec="milliseconds"),
        "tracks": f"tracks/{name}.txt",
        "truth": f"gt/{name}.txt",
    }


def _people_rows(street: Street) -> Iterator[tuple[object, ...]]:
    for person, (look, label) in enumerate(zip(street.looks, street.labels, strict=True), start=1):
        yield person, label, *look.row()


def _write_csv(path: Path, heads: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)
