"""Find out who was where, when, and what they did.

    python tools/recognise.py MODEL street.avi OUT --tracks street.txt              # tracks or detections, MOT form
    python tools/recognise.py MODEL street.avi OUT --detector my_detector:detect    # docs/video.md: your detector
    python tools/recognise.py MODEL cameras.yaml OUT --calibration calibration.json # several cameras
    python tools/recognise.py MODEL pictures OUT --threshold 0.3                    # <camera>/<tracklet>/*.jpg
    python tools/recognise.py MODEL mars OUT --root reid-data                       # test tracklets of a data set

MODEL is a run's folder, a checkpoint, weights or an ONNX file. OUT gets tracklets.csv, tracklets.jsonl, features.npy,
mot/<camera>.txt with the person as id, and report.html. Videos that are done are kept in OUT/found: started again, it goes
on. Without --calibration and --threshold no tracklets are joined: each is a person of its own. docs/recognise.md explains
the columns.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reidar_plugin.errors import ConfigError
from reidar_plugin.io.console import plain_warnings
from reidar_plugin.launch.guard import guard
from reidar_plugin.launch.model_flags import add_model_flags, settings_of

if TYPE_CHECKING:
    from reidar_plugin.inference.cameras import Camera
    from reidar_plugin.inference.picture_folders import PictureTracklet


def main(argv: Sequence[str] | None = None) -> None:
    args = parser().parse_args(argv)
    check(args)
    from reidar_plugin.inference.calibration import Calibration
    from reidar_plugin.inference.predictor import Predictor
    from reidar_plugin.inference.recognise import Asked, Finder, fingerprint_of
    from reidar_plugin.inference.trained_model import find_file
    from reidar_plugin.launch.recognise import Answer, Judgement, recognise

    source = sources(args)
    file = find_file(args.model)
    predictor = Predictor.load(
        file, args.device, args.precision, model=args.network, settings=settings_of(args.settings)
    )
    calibration = None if args.calibration is None else Calibration.load(args.calibration)
    finder = Finder(args.detector, args.tracker, args.on_outside, args.on_broken)
    title = args.title or f"People of {args.source}"
    answer = Answer(args.out, title, args.table, args.annotate, args.gallery, args.false_alarms)
    judgement = Judgement.choose(args.threshold, calibration, str(args.calibration))
    with plain_warnings():
        recognise(source, Asked(predictor, fingerprint_of(file), finder), judgement, answer)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("model", type=Path, help="folder of a run, checkpoint, weights or ONNX file")
    made.add_argument("source", help="video, cameras.yaml, folder of tracklets, or name of a data set")
    made.add_argument("out", type=Path, help="folder for the answers")
    made.add_argument(
        "--tracks", type=Path, metavar="FILE", help="of the video: tracks or detections in MOT form"
    )
    made.add_argument("--start", default="0", metavar="2026-05-01T09:00:00+02:00", help="of the video")
    made.add_argument(
        "--detector", default="", metavar="MODULE:FUNCTION", help="finds people in videos without tracks"
    )
    made.add_argument(
        "--tracker",
        default="bytetrack",
        choices=("bytetrack", "sort", "ocsort"),
        help="joins detections to tracks",
    )
    made.add_argument(
        "--on-outside", default="stop", choices=("stop", "skip"), help="boxes that cannot be of the video"
    )
    made.add_argument("--on-broken", default="stop", choices=("stop", "skip"), help="damaged frames")
    made.add_argument("--threshold", type=float, help="mean distance up to which tracklets are one person")
    made.add_argument(
        "--calibration", type=Path, metavar="FILE.json", help="gives the threshold, docs/identities.md"
    )
    made.add_argument("--table", default="csv", choices=("csv", "parquet"), help="form of the table")
    made.add_argument("--annotate", action="store_true", help="also write the videos with people marked")
    made.add_argument("--gallery", default="", metavar="URI", help="also add the tracklets to this gallery")
    made.add_argument(
        "--false-alarms",
        type=float,
        help="of strangers, with --gallery and --calibration, which then say who is known (default: 0.01, or what the "
        "calibration can tell)",
    )
    made.add_argument("--title", default="", help="headline of the report")
    made.add_argument("--root", default="reid-data", help="where data sets are")
    add_model_flags(made)
    made.add_argument("--device", default="cpu")
    made.add_argument("--precision", default="float32", choices=("float32", "bfloat16", "float16"))
    return made


def check(args: argparse.Namespace) -> None:
    """Refuse flags that would be passed over."""
    if args.false_alarms is not None and not (args.gallery and args.calibration):
        raise ConfigError("--false-alarms says whom a gallery knows; give --gallery and --calibration, too")


def sources(args: argparse.Namespace) -> "list[Camera] | list[PictureTracklet]":
    """What the source is: by its ending, by what is there, else a data set's name."""
    from reidar_plugin.inference.cameras import Camera, read_cameras, start_of
    from reidar_plugin.inference.picture_folders import find_tracklets
    from reidar_plugin.launch.dataset_tracklets import UnknownDatasetError, dataset_tracklets

    path = Path(args.source)
    if path.suffix in (".yaml", ".yml"):
        if args.tracks is not None or args.start != "0":
            raise ConfigError(f"{path} says tracks and starts of its cameras; leave --tracks and --start out")
        return read_cameras(path)
    if path.is_dir() or not (path.is_file() or path.suffix):
        of_videos = {"--tracks": args.tracks, "--detector": args.detector, "--start": args.start != "0"}
        if given := [flag for flag, value in of_videos.items() if value]:
            raise ConfigError(
                f"{', '.join(given)}: for a video; {path} is pictures, which are tracklets already"
            )
    if path.is_dir():
        return find_tracklets(path)
    if path.is_file() or path.suffix:
        return [Camera(path.stem, path, args.tracks, *start_of(args.start, "--start"))]
    try:
        return dataset_tracklets(args.source, args.root)
    except UnknownDatasetError as error:
        raise ConfigError(f"there is no video, cameras.yaml or folder {path}, and {error}") from error


if __name__ == "__main__":
    sys.exit(guard(main))
