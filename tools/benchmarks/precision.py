"""What bfloat16 and torch.compile change in the figures of runs that were trained: each is tested in four ways.

    python tools/benchmark.py precision log/joint log/alone
    python tools/benchmark.py precision log/joint --ways float32 bfloat16 --folder log/precision

The best checkpoint of each run is tested on the run's own targets, where its config says that the data lies (with --root
elsewhere), on the GPU where there is one. Differences are to float32, in percentage points.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate

from reidar_plugin.checkpoint.store import read_checkpoint
from reidar_plugin.io.atomic import write_atomically
from reidar_plugin.launch import chains, subprocesses
from reidar_plugin.report.results import Results, read_results
from reidar_plugin.report.tables import protocol_title

__all__ = ["add_arguments", "figures", "run"]

#: The first one is what the others are compared with.
WAYS = {
    "float32": ("float32", False),
    "bfloat16": ("bfloat16", False),
    "float32 compiled": ("float32", True),
    "bfloat16 compiled": ("bfloat16", True),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folders of runs")
    parser.add_argument("--root", default="", metavar="DIR", help="folder of the data sets")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="which, beside float32")
    parser.add_argument("--folder", type=Path, help="for the tests (default: one that is removed)")


def run(args: argparse.Namespace) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as spare:
        for number, trained in enumerate(args.runs):
            folder = (args.folder or Path(spare)) / str(number)
            ways = ["float32", *(way for way in args.ways if way != "float32")]
            found = {way: figures(_tested(trained, folder, way, args.root)) for way in ways}
            rows = [
                [trained, name, *(f"{each[name]:.3f}" for each in found.values()), *_changes(found, name)]
                for name in found["float32"]
            ]
            heads = ["run", "figure", *ways, *(f"{way}, change" for way in ways[1:])]
            print("\n" + tabulate(rows, heads, tablefmt="github", disable_numparse=True), "\n", flush=True)


def figures(results: Results) -> dict[str, float]:
    """The mean average precisions of a test, in percent."""
    found = {f"{protocol_title(test)} mAP": 100 * test["metrics"]["mAP"] for test in results.retrieval}
    if results.actions is not None:
        found["actions mAP"] = 100 * results.actions["mAP"]
    return found


def _changes(found: dict[str, dict[str, float]], name: str) -> list[str]:
    return [f"{each[name] - found['float32'][name]:+.3f}" for way, each in found.items() if way != "float32"]


def _tested(trained: Path, folder: Path, way: str, root: str) -> Results:
    weights = subprocesses.best_checkpoint(trained)
    config = folder / "config.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(config, read_checkpoint(weights)["reidar"]["config"].encode())
    precision, compiled = WAYS[way]
    save_dir = folder / way.replace(" ", "-")
    keys: dict[str, Any] = {
        **chains.test_keys(weights),
        **{"data__save_dir": save_dir, "use_gpu": torch.cuda.is_available()},
        **{"reidar__train__precision": precision, "reidar__train__compile": compiled},
    }
    subprocesses.start(subprocesses.arguments(config, root=root, **keys))
    return read_results(save_dir)
