"""A table of a paper in one command: its configs x seeds, and the table with the printed figures beside those that were run.

    python tools/reproduce.py re-id-ar/6 --data synthped --small --seeds 1 2 3      try it on a drawn street
    python tools/reproduce.py re-id-ar/6 --root DATA --dry-run                      what does it need?
    python tools/reproduce.py s2dn/5 --root DATA --splits 0 1 2 3 4 5 6 7 8 9       on the data of the paper
    python tools/reproduce.py asanet/5 --root DATA --print-commands                 a line a run, for any scheduler
    python tools/reproduce.py asanet/5 --root DATA --slurm timeout_min=600 gpus_per_node=1 slurm_partition=gpu    a job a run
    python tools/reproduce.py --list

Every run is an ordinary one in <folder>/<data>/<config>/seed-<n>; tables share the runs that they have in common. The same
command goes on where it was stopped, and more seeds, splits or streets may be added later. KEY VALUE pairs behind the name
of the table go to every run. On a street nothing is reproduced: SynthPed shows that the table runs, and what differs there.
The table is written to <folder>/tables as Markdown, HTML and JSON. --slurm hands each run in as a job (docs/clusters.md).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch.guard import guard

#: Keys that follow from flags.
OWN_FLAGS = {"train.seed": "--seeds", "data.save_dir": "--folder", "data.root": "--root"}
CONFIGS = Path(__file__).resolve().parents[1] / "configs"


def main(argv: Sequence[str] | None = None) -> None:
    args = parsed(argv)
    from reidar_plugin.launch.grounds import Ground, RealData, Streets
    from reidar_plugin.launch.reproduce import commands, reproduce  # in here: a broken torchreid is one line
    from reidar_plugin.launch.table_plan import TablePlan, data_sets
    from reidar_plugin.report.published import published_table, published_tables

    if args.list:
        for known in published_tables().values():
            print(f"{known.name:28}{known.title}")
        return
    table = published_table(args.table)
    ground: Ground = RealData(args.root, args.splits)
    if args.data == "synthped":
        order = data_sets(table, CONFIGS)
        ground = Streets(
            args.folder / "streets", args.preset, args.streets, order, CONFIGS / "street.yml", args.small
        )
    plan = TablePlan(table, ground, args.seeds, args.folder, CONFIGS, tuple(args.options))
    if args.print_commands:
        print("\n".join(commands(plan)))
        return
    launch = None
    if args.slurm is not None and not args.dry_run:
        from reidar_plugin.launch.cluster import Cluster, job_settings

        launch = Cluster(args.folder / "jobs", job_settings(args.slurm))
    reproduce(plan, at_once=args.at_once, dry=args.dry_run, launch=launch)


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("table", nargs="?", default="", help="its name (--list), then KEY VALUE pairs for every run")
    add("options", nargs="*", metavar="KEY VALUE")
    add("--list", action="store_true", help="print the names of the tables")
    add("--data", choices=("real", "synthped"), default="real", help="the paper's data sets, or a street")
    add("--root", type=Path, default=Path("reid-data"), metavar="DIR", help="folder of the data sets")
    add("--splits", type=int, nargs="+", default=[0], metavar="N", help="of PRID2011 and iLIDS-VID")
    add("--preset", default="laptop", help="of SynthPed")
    add("--streets", type=int, nargs="+", default=[0], metavar="SEED", help="of SynthPed")
    add("--small", action="store_true", help="on a street: small networks, few epochs (configs/street.yml)")
    add("--seeds", type=int, nargs="+", default=[1, 2, 3], help="of the training")
    add("--folder", type=Path, default=Path("reproduced"), metavar="DIR", help="where everything goes")
    add(
        "--at-once",
        type=int,
        default=0,
        metavar="N",
        help="runs at once (default: one a core; with --slurm all)",
    )
    add(
        "--slurm",
        nargs="+",
        metavar="NAME=VALUE",
        help="each run is a job that asks for this (needs submitit)",
    )
    add("--dry-run", action="store_true", help="print the cost and the table so far, and stop")
    add("--print-commands", action="store_true", help="print a command a run that is left, and stop")
    args = parser.parse_intermixed_args(argv)
    if not args.table and not args.list:
        raise ConfigError("expected the name of a table, got none; --list prints them")
    if len(args.options) % 2:
        raise ConfigError(f"options come in pairs KEY VALUE, got {' '.join(args.options)}")
    for key in OWN_FLAGS.keys() & set(args.options[::2]):
        raise ConfigError(f"{key} is another for each run: expected {OWN_FLAGS[key]} in its place")
    if args.at_once < 0:
        raise ConfigError(f"--at-once: expected a number of runs, or 0 for one a core, got {args.at_once}")
    if min(args.seeds) < 0:
        raise ConfigError(f"--seeds: expected numbers from 0 on, got {min(args.seeds)}")
    if args.small and args.data != "synthped":
        raise ConfigError(
            "--small needs --data synthped: on the paper's data a small network is another system"
        )
    return args


if __name__ == "__main__":
    sys.exit(guard(main))
