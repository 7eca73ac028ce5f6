r"""Does the joint model pay? Variants of a config x seeds x streets, and a table with intervals over seeds and people.

    python tools/bench_joint.py configs/joint/variants.yml --streets 101 --seeds 1 2                 choose
    python tools/bench_joint.py configs/joint/variants.yml --streets 201 202 --seeds 1 2 3 4 5 \
        --only identity-only joint --folder bench-final                                           test, once
    python tools/bench_joint.py configs/joint/variants.yml --streets 101 --dry-run                   what would it cost?

A file of variants names the config that all start from, and what each changes; the first variant is what the others are
held against. A street is SynthPed's preset with that generator seed, drawn where it is not there. Every run is an
ordinary one in <folder>/<street>/<variant>/seed-<n>; the same command goes on where it was stopped, and more seeds,
streets or variants may be added later. What it will cost is printed before a run starts. Choose on one street, then
test what was chosen once, on streets that nothing was chosen on. KEY VALUE pairs for all runs come right behind the
file.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch.guard import guard


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("variants", help="file of variants (yaml), then KEY VALUE pairs for every run")
    parser.add_argument("options", nargs="*", metavar="KEY VALUE")
    parser.add_argument("--streets", type=int, nargs="+", default=[101], metavar="SEED", help="of SynthPed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="of the training")
    parser.add_argument("--only", nargs="+", default=[], metavar="VARIANT", help="leave out the others")
    parser.add_argument("--preset", default="town", help="of SynthPed")
    parser.add_argument("--folder", type=Path, default=Path("bench"), help="where everything goes")
    parser.add_argument(
        "--at-once", type=int, default=0, metavar="N", help="runs at once (default: one a core)"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="draw the streets, print the cost and the table so far, and stop",
    )
    args = parser.parse_intermixed_args(argv)
    if len(args.options) % 2:
        raise ConfigError(f"options come in pairs KEY VALUE, got {' '.join(args.options)}")
    from reidar_plugin.launch.bench import bench
    from reidar_plugin.launch.bench_plan import read_variants  # in here: a broken torchreid is one line

    bench(
        read_variants(args.variants).only(args.only),
        args.streets,
        args.seeds,
        args.folder,
        preset=args.preset,
        options=args.options,
        at_once=args.at_once,
        dry=args.dry_run,
    )


if __name__ == "__main__":
    sys.exit(guard(main))
