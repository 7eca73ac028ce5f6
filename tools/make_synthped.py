"""Draw a SynthPed set: tracklets in the layout of MARS or LPW, or whole camera videos, or contact sheets (docs/synthped.md).

python tools/make_synthped.py --root data                        # data/mars: the laptop set
python tools/make_synthped.py --root data --folder synthped      # data/synthped: what the name synthped reads
python tools/make_synthped.py --root data --preset mars --seed 1
python tools/make_synthped.py --root data --layout lpw --people 60 40
python tools/make_synthped.py --root data --videos               # data/street: a minute of three cameras
python tools/make_synthped.py --root docs/images --sheets        # the pictures of docs/synthped.md
python tools/make_synthped.py --root data --videos --people 30 --seconds 120 --size 480 854 --seed 1
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch.guard import guard

__all__ = ["main"]

TRACKLETS = ("preset", "tracklets", "layout", "shares", "workers", "progress")
VIDEOS = ("seconds", "rate")


def main(argv: Sequence[str] | None = None) -> None:
    parser = _parser()
    args = parser.parse_args(argv)
    if args.people and len(args.people) > 2:
        parser.error(f"--people takes one number or two (to train on, to test on), got {len(args.people)}")
    other = "--videos" if args.videos else "--sheets" if args.sheets else ""
    if other and (of_tracklets := [name for name in TRACKLETS if getattr(args, name) is not None]):
        parser.error(f"--{of_tracklets[0]} is for tracklets: leave it out with {other}")
    if not args.videos and (only_videos := [name for name in VIDEOS if getattr(args, name) is not None]):
        parser.error(f"--{only_videos[0]} is for videos: add --videos, or leave it out")
    made = _sheets if args.sheets else _videos if args.videos else _tracklets
    print(made(args))


def _sheets(args: argparse.Namespace) -> Path:
    from reidar_plugin.synthped.sheets import contact_sheets

    folder = Path(args.root)
    contact_sheets(folder, args.seed)
    return folder


def _videos(args: argparse.Namespace) -> Path:
    from reidar_plugin.synthped.videos.make import make_videos
    from reidar_plugin.synthped.videos.street import StreetSize

    if args.people and len(args.people) > 1:
        raise ConfigError(f"--people takes one number with --videos, got {len(args.people)}")
    asked = {"people": args.people and args.people[0], "cameras": args.cameras, "seconds": args.seconds,
             "rate": args.rate, "size": args.size and tuple(args.size)}  # fmt: skip
    size = StreetSize(**{key: value for key, value in asked.items() if value is not None})
    return make_videos(args.root, size, seed=args.seed, folder=args.folder or "street")


def _tracklets(args: argparse.Namespace) -> Path:
    from reidar_plugin.synthped import make

    people = tuple(args.people * 2)[:2] if args.people else None
    return make(
        args.root,
        args.preset or "laptop",
        people=people,
        cameras=args.cameras,
        tracklets=tuple(args.tracklets) if args.tracklets else None,
        size=tuple(args.size) if args.size else None,
        seed=args.seed,
        layout=args.layout or "mars",
        shares=args.shares or "paper",
        folder=args.folder,
        workers=args.workers,
        progress=_report if args.progress else None,
    )


def _report(done: int, total: int) -> None:
    print(f"{done}/{total} frames", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", required=True, help="where the folder of the set goes")
    parser.add_argument("--preset", help="tiny, laptop (default), town, city or mars")
    parser.add_argument("--people", type=int, nargs="+", metavar="N", help="to train on and to test on")
    parser.add_argument("--cameras", type=int, help="2 ... 6 (layout mars), 1 ... 6 (videos)")
    parser.add_argument(
        "--tracklets", type=int, nargs=2, metavar="N", help="of the people to train and to test on"
    )
    parser.add_argument("--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), help="of the pictures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layout", choices=("mars", "lpw"), help="default: mars")
    parser.add_argument("--shares", choices=("paper", "even"), help="of the actions (default: paper)")
    parser.add_argument("--folder", help="name of the folder (default: the layout, or street)")
    parser.add_argument("--workers", type=int, help="processes (default: one for each core)")
    parser.add_argument(
        "--progress", action="store_true", default=None, help="write how many frames are drawn, line by line"
    )
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--videos", action="store_true", help="whole camera videos with MOT ground truth")
    other.add_argument("--sheets", action="store_true", help="pictures of all that is drawn, into --root")
    parser.add_argument("--seconds", type=float, help="length of the videos (default: 60)")
    parser.add_argument("--rate", type=int, help="frames a second of the videos (default: 10)")
    return parser


if __name__ == "__main__":
    sys.exit(guard(main))
