r"""Convert the published action labels of MARS or LPW (one line for each image) to a label file of this package.

    python tools/import_labels.py --layout mars --names walking,riding,... \
        --train train_name.txt --test test_name.txt --output /data/mars/actions.csv
    python tools/import_labels.py --layout lpw --first 1 --names walking,riding,... \
        --train train.txt --test gallery.txt query.txt --output /data/lpw/actions.csv

The labels are those of Re-ID-AR (https://collections.durham.ac.uk, record r18c97kq420). Which integer means which
action is not documented there: --names gives the names in the order of the integers, and the resulting counts are
printed beside Table 1 of the paper. If they differ, nothing is written unless --accept is given.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reidar_plugin.launch.guard import guard


def main(argv: Sequence[str] | None = None) -> int:
    from reidar_plugin.labels.published import LAYOUTS
    from reidar_plugin.labels.spaces import ACTIONS8

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layout", required=True, choices=list(LAYOUTS))
    parser.add_argument(
        "--names", required=True, help=f"in the order of the integers, of: {', '.join(ACTIONS8.names)}"
    )
    parser.add_argument(
        "--first", type=int, choices=(0, 1), help="integer of the first name; MARS: 1 (0 is no label)"
    )
    parser.add_argument(
        "--train", type=Path, nargs="+", default=[], help="published files of the training set"
    )
    parser.add_argument("--test", type=Path, nargs="+", default=[], help="published files of the test set")
    parser.add_argument("--output", type=Path, required=True, help="label file to write")
    parser.add_argument("--accept", action="store_true", help="write even if the counts differ from Table 1")
    return convert(parser.parse_args(argv))


def convert(args: argparse.Namespace) -> int:
    """Read, compare and write; returns 0 if the file was written, 1 if the counts differ from Table 1."""
    from reidar_plugin.labels.files import write_labels
    from reidar_plugin.labels.published import LAYOUTS, Numbering, distribution, merge_keys, read_published
    from reidar_plugin.labels.spaces import LabelError

    files = {half: paths for half, paths in (("train", args.train), ("test", args.test)) if paths}
    if not files:
        raise LabelError("nothing to read: give --train, --test or both")
    if args.first is None and args.layout != "mars":
        raise LabelError(
            f"--first is needed: whether {args.layout} counts from 0 or from 1 is documented nowhere"
        )
    layout = LAYOUTS[args.layout]
    numbering = Numbering(tuple(args.names.split(",")), 1 if args.first is None else args.first)
    labels = {half: read_published(paths, layout, numbering) for half, paths in files.items()}
    counts = {half: distribution(found, layout) for half, found in labels.items()}
    agree = compare(args.layout, counts)
    if not agree and not args.accept:
        print(f"NOT WRITTEN: {args.output}. Give the names in another order, or --accept if you know better.")
        return 1
    merged = {key: name for found in labels.values() for key, name in found.items()}
    lines = dict(sorted(merge_keys(merged).items()))
    write_labels(args.output, lines)
    unlabelled = sum(name is None for name in merged.values())
    print(
        f"{args.output}: {len(lines)} lines for {len(merged)} tracklets, {unlabelled} of them without a label"
    )
    return 0


def compare(layout: str, counts: dict[str, tuple[int, ...]]) -> bool:
    """Print the counts beside Table 1; returns whether they are equal."""
    from tabulate import tabulate

    from reidar_plugin.labels.published import LAYOUTS, TABLE1, matching_names
    from reidar_plugin.labels.spaces import ACTIONS8

    tables = {half: TABLE1[layout, half] for half in counts}
    rows = [
        [name, *(cell for half in counts for cell in (counts[half][index], tables[half][index]))]
        for index, name in enumerate(ACTIONS8.names)
    ]
    rows.append(["sum", *(sum(cells[half]) for half in counts for cells in (counts, tables))])
    unit = "people" if LAYOUTS[layout].by_person else "tracklets"
    heads = [head for half in counts for head in (f"{half}, these files", f"{half}, paper's Table 1")]
    print(tabulate(rows, headers=[f"action ({unit})", *heads]))
    if counts == tables:
        print("The distribution is that of Table 1.")
        return True
    print("\n*** THE DISTRIBUTION IS NOT THAT OF TABLE 1: the order of the names may be wrong. ***")
    for name, others in matching_names(list(counts.values()), list(tables.values())).items():
        if others != [name]:
            print(
                f"  what you call {name} has the counts of {' or '.join(others) or 'no action of the table'}"
            )
    return False


if __name__ == "__main__":
    sys.exit(guard(main))
