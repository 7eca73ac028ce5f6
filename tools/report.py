"""Make a report of a test: one HTML file with figures, curves, pictures, and every query to search and sort.

    python tools/report.py log/run                     # writes log/run/report.html
    python tools/report.py log/run --out run.html

Rank lists and attention are in it if the test was made with `test.visrank True`. The file loads nothing from anywhere.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reidar_plugin.launch.guard import guard


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="of the run, with its results.json")
    parser.add_argument("--out", type=Path, metavar="FILE.html", help="default: report.html in the folder")
    args = parser.parse_args(argv)
    from reidar_plugin.report.page.render import write_page
    from reidar_plugin.report.page.run_folder import read_run
    from reidar_plugin.report.page.run_page import run_page

    page = run_page(read_run(args.folder))
    home = args.folder.parent if args.folder.is_file() else args.folder  # results.json itself will do
    print(write_page(args.out or home / "report.html", page))


if __name__ == "__main__":
    sys.exit(guard(main))
