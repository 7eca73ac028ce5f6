"""Torment every door with broken inputs, full disks and kills: a right answer, or one line that says why not.

    python tools/torture.py --minutes 1
    python tools/torture.py --minutes 60 --seed 7 --doors pictures checkpoints
    python tools/torture.py --doors "label files" --seed 7 --case 123          one case again
    python tools/torture.py --minutes 30 --doors drawing training --blows kill

A hang, a crash, a traceback, a wrong answer, too much memory or a refusal that does not name the file is a failure; the
status is 1 then, and what made a door fail is kept in <folder>/failures. The same seed gives the same cases. Saving,
testing, labelling, answering, adding (to a gallery), drawing and training are struck at each call by which they change
files, one call after the other whatever the seed, with --blows in some ways alone; that needs Linux on x86-64, and they
are left out elsewhere.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from torments.campaign import ANSWERED, FAILED, REFUSED, Door, Tally, run_door
from torments.strike import Blow

from reidar_plugin.io.console import say
from reidar_plugin.launch.guard import guard

BLOWS = {blow.name.lower().replace("_", "-"): blow for blow in Blow}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0, help="in all, shared out evenly")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--doors", nargs="+", metavar="DOOR", default=[], help="these alone")
    parser.add_argument("--cases", type=int, default=0, help="of each door at most (default: as time allows)")
    parser.add_argument("--case", type=int, help="this one alone")
    parser.add_argument("--blows", nargs="+", choices=BLOWS, default=list(BLOWS), help="of those that strike")
    parser.add_argument("--folder", type=Path, help="for files (default: one that is removed)")
    args = parser.parse_args(argv)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from tabulate import tabulate
    from torments.doors import doors_of
    from torments.struck import Struck

    doors = doors_of(args.doors)
    for door in doors:
        if isinstance(door, Struck):
            door.allowed = [BLOWS[name] for name in args.blows]
    with tempfile.TemporaryDirectory() as spare:
        folder = args.folder or Path(spare)
        tallies = [_tormented(door, folder, args, len(doors)) for door in doors]
    rows = [
        [tally.door, tally.counts.total(), *(tally.counts[kind] for kind in (ANSWERED, REFUSED, FAILED))]
        for tally in tallies
    ]
    say("\n" + tabulate(rows, headers=["door", "cases", ANSWERED, REFUSED, FAILED], intfmt=","))
    return int(any(tally.failures for tally in tallies))


def _tormented(door: Door, folder: Path, args: argparse.Namespace, doors: int) -> Tally:
    share = args.minutes * 60 / doors
    first, most = (args.case, 1) if args.case is not None else (0, args.cases)
    tally = run_door(door, folder / door.name.replace(" ", "-"), args.seed, share, first, most)
    for case in tally.failures:
        say(f"{door.name}, case {case.number}: {case.words}")
    return tally


if __name__ == "__main__":
    sys.exit(guard(main))
