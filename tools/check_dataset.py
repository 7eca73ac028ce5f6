"""Check a data set before training.

    python tools/check_dataset.py --dataset mars_actions --root /data
    python tools/check_dataset.py --dataset lpw_actions --root /data --pictures
    python tools/check_dataset.py --dataset mars_actions --root /data reidar.labels.space actions5
    python tools/check_dataset.py --dataset ilidsvid --root /data    # any video data set of torchreid

Prints its counts beside the official ones, queries without a match, labels, and missing pictures; --pictures also decodes
each frame. The exit code is 0 if training can start. Nothing is downloaded; synthped is generated.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from itertools import islice
from typing import Any

from reidar_plugin.errors import ConfigError, InputError, MissingFileError, ReidarError, nearest, summary
from reidar_plugin.launch.guard import guard

SHOWN = 5


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--dataset", required=True, help="such as mars_actions, lpw_actions, synthped or ilidsvid"
    )
    parser.add_argument("--root", default="reid-data", help="folder that contains the folder of the data set")
    parser.add_argument(
        "--pictures", action="store_true", help="decode each picture (takes minutes on a large data set)"
    )
    parser.add_argument(
        "opts", nargs=argparse.REMAINDER, help="config keys and values, e.g. reidar.labels.space actions5"
    )
    return check(parser.parse_args(argv))


def check(args: argparse.Namespace) -> int:
    """Print the report; returns 0 if training can start, else 1."""
    from reidar_plugin.data.checker import (
        broken_pictures,
        count_parts,
        counts_table,
        label_table,
        missing_pictures,
        silent_decoders,
        training_problems,
        unmatched_queries,
    )

    dataset = build(args.dataset, args.root, args.opts)
    samples = [*dataset.train, *dataset.query, *dataset.gallery]
    print(f"{args.dataset} in {os.path.abspath(args.root)}\n")
    print(counts_table(args.dataset, count_parts(dataset)), end="\n\n")
    unmatched = unmatched_queries(dataset.query, dataset.gallery)
    print(
        f"queries with a match in another camera: {len(dataset.query) - len(unmatched)} of {len(dataset.query)}"
    )
    lonely = sorted({pid for _, pid, *_ in unmatched})
    if lonely:
        print(
            f"people whose queries have none: {', '.join(map(str, lonely[:20]))}{' ...' * (len(lonely) > 20)}"
        )
    for space in (getattr(dataset, "space", None), getattr(dataset, "attribute_space", None)):
        if space:
            print("\n" + label_table(dataset, space))
    if not hasattr(dataset, "space"):
        print("\nactions: unknown of all; the joint model trains on the people alone")
    print()
    missing = show("missing", missing_pictures(samples))
    if missing and hasattr(dataset, "source"):
        print(f"get them from {dataset.source}")
    broken = 0
    if args.pictures and not missing:
        with silent_decoders():
            broken = show("broken", broken_pictures(samples))
    reasons = training_problems(dataset, missing, broken)
    people = len({pid for _, pid, *_ in dataset.train})
    start = (
        f"training can start, in batches of {people} people at most: a batch of the identity samplers holds "
        "train.batch_size / sampler.num_instances people"
    )
    print("\n".join(f"CANNOT TRAIN: {reason}" for reason in reasons) or start)
    return 1 if reasons else 0


def build(name: str, root: str, opts: Sequence[str]) -> Any:
    """Build a data set by name, from this package or the host, without transforms."""
    try:
        return _built(name, root, opts)
    except ReidarError:
        raise
    except (ValueError, RuntimeError, AssertionError, KeyError) as error:  # of the host, for what is damaged
        raise InputError(f"{name} in {root} cannot be read: {summary(error)}") from error


def _built(name: str, root: str, opts: Sequence[str]) -> Any:
    from yacs.config import CfgNode

    from reidar_plugin import host
    from reidar_plugin.config import add_reidar_config
    from reidar_plugin.data.registry import datasets

    cfg = add_reidar_config(CfgNode())
    cfg.merge_from_list(list(opts))
    table = host.dataset_table("video") | datasets(cfg.reidar)
    if name not in table:
        hint = nearest(name, table)
        raise ConfigError(f"unknown data set {name!r}; choose one of {', '.join(table)};{hint}".rstrip(";"))
    folder = getattr(table[name], "dataset_dir", None)
    if folder and not os.path.isdir(os.path.join(root, folder)):  # otherwise the host would download it
        page = (
            getattr(table[name], "dataset_url", None) or "its authors (torchreid's documentation links them)"
        )
        raise MissingFileError(f"{os.path.join(root, folder)}: no such folder; get it from {page}")
    with contextlib.redirect_stdout(sys.stderr):  # the host prints while it builds the data set
        return table[name](root=root, transform=_as_it_is, verbose=False)


def _as_it_is(picture: Any) -> Any:
    return picture


def show(what: str, entries: Any) -> int:
    """Print the first entries; returns the number of all."""
    first = list(islice(entries, SHOWN))
    count = len(first) + sum(1 for _ in entries)
    print(f"{what} pictures: {count}")
    for entry in first:
        print(f"  {entry}")
    if count > len(first):
        print(f"  ... and {count - len(first)} more")
    return count


if __name__ == "__main__":
    sys.exit(guard(main))
