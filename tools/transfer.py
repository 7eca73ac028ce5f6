"""Train on one data set after the other, each run starting from the weights of the one before.

    python tools/transfer.py configs/s2dn/mars.yaml configs/s2dn/ilidsvid.yaml --root DATA
    python tools/transfer.py configs/s2dn/mars.yaml configs/s2dn/ilidsvid.yaml configs/s2dn/prid2011.yaml --root DATA
    python tools/transfer.py configs/vprft/mars.yaml configs/vprft/prid2011.yaml --root DATA train.max_epoch 60

The second line is the chain "MARS + iLIDS-VID" of Not 3D Re-ID, Table V. Classifier and centres are made anew for the
people of each data set, all other weights go over from the best checkpoint; what goes over is printed. Stage n writes
to <save-dir>/<n>-<config>. The same command goes on where it was stopped.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reidar_plugin.launch.guard import guard


def transfer(
    configs: Sequence[str], save_dir: str, root: str = "", options: Sequence[str] = ()
) -> list[Path]:
    """Run the chain; returns the folder of each stage."""
    from reidar_plugin.launch import chains, subprocesses

    for config in configs:  # a slip in the last file should not cost the first run
        subprocesses.merged(config, options)
    folders: list[Path] = []
    for number, config in enumerate(configs, start=1):
        folder = Path(save_dir, f"{number}-{Path(config).stem}")
        keys: dict[str, Any] = {"data__save_dir": folder}
        if folders:
            kept = chains.carry_over(folders[-1], folder)
            parts = ", ".join(f"{part} ({count} tensors)" for part, count in kept.items())
            print(
                f"\nstage {number}: {parts} go over from {folders[-1]}; classifier and centres are new",
                flush=True,
            )
            keys |= chains.start_keys(folder)
        subprocesses.start(subprocesses.arguments(config, root=root, options=options, **keys))
        folders.append(folder)
    return folders


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "configs", nargs="+", metavar="CONFIG", help="configs (yaml), in order, then KEY VALUE pairs"
    )
    parser.add_argument("--root", default="", metavar="DIR", help="folder of the data sets")
    parser.add_argument("--save-dir", default="log/transfer", metavar="DIR", help="folder of the stages")
    args = parser.parse_intermixed_args(argv)
    from reidar_plugin.launch import subprocesses

    configs, options = subprocesses.configs_and_options(args.configs, least=2)
    transfer(configs, args.save_dir, args.root, options)


if __name__ == "__main__":
    sys.exit(guard(main))
