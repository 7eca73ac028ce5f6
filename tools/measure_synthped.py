"""Measure a SynthPed set: how hard it is, whether anything but the people gives them away, and what it holds.

    python tools/measure_synthped.py --root data --preset laptop                  # as in docs/synthped.md
    python tools/measure_synthped.py --root data --preset mars --people 100 100     # 200 people at MARS' size
    python tools/measure_synthped.py --root data --preset laptop --steps 0          # without training

The set is drawn first if ``ROOT/measured-<preset>-<shares>`` is not there. Everything runs on the CPU.
"""

import argparse
import sys
from collections.abc import Sequence

from reidar_plugin.launch.guard import guard

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", required=True)
    parser.add_argument("--preset", default="laptop", help="tiny, laptop, town, city or mars")
    parser.add_argument("--people", type=int, nargs=2, metavar="N")
    parser.add_argument("--shares", default="paper", choices=("paper", "even"), help="of the actions")
    parser.add_argument("--steps", type=int, default=400, help="of training; 0 leaves it out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    args = parser.parse_args(argv)
    import torch
    from measures.baselines import baselines
    from measures.drawn_set import DrawnSet, contents, speed
    from measures.leaks import leaks
    from measures.learning import training
    from tabulate import tabulate

    from reidar_plugin.synthped import make

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    people = tuple(args.people) if args.people else None
    home = make(
        args.root,
        args.preset,
        people=people,
        shares=args.shares,
        folder=f"measured-{args.preset}-{args.shares}",
    )
    drawn = DrawnSet(home)
    print(tabulate(contents(drawn), headers=("content", "value")), end="\n\n")
    print(
        tabulate(speed(args.preset), headers=("drawn and encoded", "frames a second of one core")), end="\n\n"
    )
    print(
        tabulate(leaks(drawn), headers=("by what is not the person", "tells", "%", "95 % of shuffles")),
        end="\n\n",
    )
    print(tabulate(baselines(drawn), headers=("nearest neighbour by", "rank-1 %", "mAP %")), end="\n\n")
    if args.steps:
        print(tabulate(training(drawn, args.steps), headers=("after training", "value")))


if __name__ == "__main__":
    sys.exit(guard(main))
