"""Train and test every split of a data set that has several, and print the mean: PRID2011 and iLIDS-VID have ten.

    python tools/run_splits.py configs/vprft/prid2011.yaml --root DATA
    python tools/run_splits.py configs/s2dn/ilidsvid.yaml --root DATA --splits 0 1 2 --save-dir log/three train.seed 2

Split n is a run of its own, with ``data.split_id n``, in <save-dir>/split-<n>; the table has its figures, their mean, the
lowest and the highest. The same command goes on where it was stopped. ``tools/compare.py --mean`` prints the table of runs
that are there already.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from reidar_plugin.launch.guard import guard

SPLITS = range(10)


def run_all(
    config: str,
    save_dir: str = "",
    root: str = "",
    splits: Sequence[int] = SPLITS,
    options: Sequence[str] = (),
) -> str:
    """Run the splits in processes of their own; returns the table."""
    from reidar_plugin.launch import subprocesses
    from reidar_plugin.launch.splits import run_splits

    cfg = subprocesses.merged(config, options)  # a slip is found before anything runs
    cfg.data.save_dir = save_dir or cfg.data.save_dir

    def run(own: Any) -> None:
        keys = {"data__split_id": own.data.split_id, "data__save_dir": own.data.save_dir}
        subprocesses.start(subprocesses.arguments(config, root=root, options=options, **keys))

    return run_splits(cfg, run, splits)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="+", metavar="CONFIG", help="a config (yaml), then KEY VALUE pairs")
    parser.add_argument("--root", default="", metavar="DIR", help="folder of the data sets")
    parser.add_argument(
        "--save-dir", default="", metavar="DIR", help="folder of the splits; the config's own"
    )
    parser.add_argument(
        "--splits", nargs="+", type=int, default=SPLITS, metavar="N", help="which of them; 0 to 9"
    )
    args = parser.parse_intermixed_args(argv)
    from reidar_plugin.launch import subprocesses

    (config,), _ = subprocesses.configs_and_options(args.words[:1])
    run_all(config, args.save_dir, args.root, args.splits, args.words[1:])


if __name__ == "__main__":
    sys.exit(guard(main))
