"""Train on each of two data sets, test on both: the cross-dataset evaluation of ASA-Net, Table III, in one command.

    python tools/cross_test.py configs/asanet/table1-b.yaml configs/asanet/table6-b.yaml --root DATA
    python tools/cross_test.py configs/re-id-ar/base.yaml configs/re-id-ar/lpw.yaml --root DATA train.max_epoch 60

Every config is trained in <save-dir>/<config> (or goes on there), and its best checkpoint is tested on the targets of
every config, in <save-dir>/<config>-on-<config>. A table of all tests comes last. On the other data set only who is who
is tested: actions and attributes of another data set may be other ones.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch.guard import guard

HEADS = ("trained on", "tested on", "re-ranked", "valid queries", "rank-1", "rank-5", "mAP")


def cross_test(
    configs: Sequence[str], save_dir: str, root: str = "", options: Sequence[str] = ()
) -> list[list[str]]:
    """Train and test all pairs; returns the rows of the table."""
    from reidar_plugin.launch import chains, subprocesses
    from reidar_plugin.report.results import read_results

    targets = {
        config: chains.plain_targets(subprocesses.merged(config, options).data.targets) for config in configs
    }
    rows: list[list[str]] = []
    for config in configs:
        name = Path(config).stem
        folder = Path(save_dir, name)
        subprocesses.start(subprocesses.arguments(config, root=root, options=options, data__save_dir=folder))
        for other in configs:
            test_folder = Path(save_dir, f"{name}-on-{Path(other).stem}")
            keys = chains.test_keys(subprocesses.best_checkpoint(folder)) | {"data__save_dir": test_folder}
            subprocesses.start(
                subprocesses.arguments(config, root=root, targets=targets[other], options=options, **keys)
            )
            for test in read_results(test_folder).retrieval:
                rows.append([name, *row_of(test)])
    return rows


def row_of(test: Mapping[str, Any]) -> list[str]:
    """Columns of a test, but the first."""
    from reidar_plugin.report.tables import protocol_title

    counts, metrics = test["counts"], test["metrics"]
    figures = [f"{100 * metrics[name]:.2f}" if name in metrics else "-" for name in HEADS[4:]]
    again = "yes" if test["reranked"] else "no"
    return [
        protocol_title({**test, "reranked": False}),
        again,
        f"{counts['valid']:,} of {counts['queries']:,}",
        *figures,
    ]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="configs (yaml), then KEY VALUE pairs")
    parser.add_argument("--root", default="", metavar="DIR", help="folder of the data sets")
    parser.add_argument("--save-dir", default="log/cross-test", metavar="DIR", help="folder of the runs")
    args = parser.parse_intermixed_args(argv)
    from tabulate import tabulate

    from reidar_plugin.launch import subprocesses

    configs, options = subprocesses.configs_and_options(args.configs, least=2)
    twice = {stem for stem, count in Counter(Path(config).stem for config in configs).items() if count > 1}
    if twice:
        raise ConfigError(
            f"configs name the folders of their runs: expected different names, got {sorted(twice)} twice"
        )
    rows = cross_test(configs, args.save_dir, args.root, options)
    print("\n" + tabulate(rows, headers=HEADS, disable_numparse=True))


if __name__ == "__main__":
    sys.exit(guard(main))
