"""Draw a SynthPed set: people, cameras, actions and attributes in the layout of MARS or LPW (docs/synthped.md).

python tools/make_synthped.py --root data                        # data/mars: the laptop set
python tools/make_synthped.py --root data --folder synthped      # data/synthped: what the name synthped reads
python tools/make_synthped.py --root data --preset mars --seed 1
python tools/make_synthped.py --root data --layout lpw --people 60 40
"""

import argparse
import sys
from collections.abc import Sequence

from reidar_plugin.synthped import PRESETS, make

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    parser = _parser()
    args = parser.parse_args(argv)
    if args.people and len(args.people) > 2:
        parser.error(f"--people takes one number or two (to train on, to test on), got {len(args.people)}")
    people = tuple(args.people * 2)[:2] if args.people else None
    try:
        home = make(
            args.root,
            args.preset,
            people=people,
            cameras=args.cameras,
            tracklets=tuple(args.tracklets) if args.tracklets else None,
            size=tuple(args.size) if args.size else None,
            seed=args.seed,
            layout=args.layout,
            shares=args.shares,
            folder=args.folder,
            workers=args.workers,
            progress=_report if args.progress else None,
        )
    except (ValueError, OSError) as error:
        print(f"make_synthped: {error}", file=sys.stderr)
        return 1
    print(home)
    return 0


def _report(done: int, total: int) -> None:
    print(f"{done}/{total} frames", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", required=True, help="where the folder of the set goes")
    parser.add_argument("--preset", default="laptop", choices=sorted(PRESETS))
    parser.add_argument("--people", type=int, nargs="+", metavar="N", help="to train on and to test on")
    parser.add_argument("--cameras", type=int, help="2 ... 6 (layout mars)")
    parser.add_argument(
        "--tracklets", type=int, nargs=2, metavar="N", help="of the people to train and to test on"
    )
    parser.add_argument("--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), help="of the pictures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layout", default="mars", choices=("mars", "lpw"))
    parser.add_argument("--shares", default="paper", choices=("paper", "even"), help="of the actions")
    parser.add_argument("--folder", help="name of the folder (default: the layout)")
    parser.add_argument("--workers", type=int, help="processes (default: one for each core)")
    parser.add_argument(
        "--progress", action="store_true", help="write how many frames are drawn, line by line"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
