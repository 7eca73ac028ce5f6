"""Speed, both sides in one run and in turn; docs/benchmarks.md holds what was measured where.

    python tools/benchmark.py AREA [options]      areas: data, losses, model, shares, precision, eval, train, gallery,
                                                infer, ranks, recognise
    python tools/benchmark.py eval --help

Each area compares results before it prints a time, and prints medians and ratios.
"""

import argparse
import importlib
import platform
import sys
from collections.abc import Sequence
from datetime import date

from reidar_plugin.launch.guard import guard

AREAS = (
    "data",
    "losses",
    "model",
    "shares",
    "precision",
    "eval",
    "train",
    "gallery",
    "infer",
    "ranks",
    "recognise",
)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("area", choices=AREAS)
    area = parser.parse_args((sys.argv[1:] if argv is None else argv)[:1]).area
    module = importlib.import_module(f"benchmarks.{area}")  # by its name, so that its processes find it again
    own = argparse.ArgumentParser(
        prog=f"benchmark.py {area}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(own)
    args = own.parse_args((sys.argv[1:] if argv is None else argv)[1:])
    print(f"{area} on {date.today()}: {machine()}\n")
    module.run(args)


def machine() -> str:
    """What the figures depend on, in a line."""
    import torch
    import torchvision

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, torchvision {torchvision.__version__}"
    return f"{platform.machine()}, {torch.get_num_threads()} torch threads, {device}; {versions}"


if __name__ == "__main__":
    sys.exit(guard(main))
