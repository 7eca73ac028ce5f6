"""Every model name that the plugin adds: parameters, GFLOPs a frame, frames a second in training, or why there is none.

    python tools/list_models.py
    python tools/list_models.py --names osnet resnet50 --device cuda --clips 32 --height 224 --width 112
    python tools/list_models.py --clips 2 --steps 1 --into docs/models.md
    python tools/list_models.py --names timm_ --sizes --pooling light

The third line writes the table of a page anew, between the comments that mark its place there. The last one trains nothing
and shows what is built of a dozen of timm's networks, which need the extra timm.

Each model is built without pretrained weights, with the papers' heads, and trained for a step (forward, backward and
Adam on made-up clips): "works" means that the loss was finite and every parameter had a gradient. GFLOPs are those of
a forward pass, two a multiply-add. On a CPU with one thread the time is the process's own, so that a busy machine
disturbs it less; the first step warms up.
"""

import argparse
import sys
import warnings
from pathlib import Path

from reidar_plugin.launch.guard import guard

HEADERS = [
    "name",
    "parameters (M)",
    "of these the backbone (M)",
    "GFLOPs a frame",
    "frames/s",
    "works, or why not",
]
FORMATS = ("", ".2f", ".2f", ".2f", ".1f", "")
SIZES = ["name", "parameters (M)", "of these the backbone (M)", "maps", "feature"]
BEGIN, END = "<!-- models: begin -->", "<!-- models: end -->"  # around the table of a page


def main(argv: list[str] | None = None) -> int:
    """Print the table; 1 if a model that should work does not."""
    args = _arguments(argv)
    import torch
    from measures.model_costs import costs, how, names, sizes
    from tabulate import tabulate

    from reidar_plugin.models.registry import why_not

    torch.set_num_threads(args.threads)
    args.device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    rows = []
    for name in names(args.names):
        rows.append([name, *(sizes if args.sizes else costs)(name, args)])
        print(*rows[-1], file=sys.stderr, flush=True)
    if not args.names and not args.sizes:
        rows += [[name, None, None, None, None, reason] for name, reason in why_not().items()]
    headers, formats = (SIZES, ("", ".2f", ".2f")) if args.sizes else (HEADERS, FORMATS)
    form = "github" if args.into else args.format
    table = tabulate(rows, headers=headers, tablefmt=form, floatfmt=formats, missingval="")
    if args.into:
        before, after = _around_table(args.into)
        text = f"{table}\n\n{how(args, sys.argv[1:] if argv is None else argv)}"
        args.into.write_text(f"{before}\n\n{text}\n\n{after}", encoding="utf-8")
    print(table)
    return int(any(str(row[-1]).startswith("fails") for row in rows))


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--names", nargs="+", default=[], help="only names with one of these in them")
    parser.add_argument("--clips", type=int, default=4, help="clips in a batch")
    parser.add_argument("--length", type=int, default=4, help="frames in a clip")
    parser.add_argument("--height", type=int, default=256, help="of a frame")
    parser.add_argument("--width", type=int, default=128, help="of a frame")
    parser.add_argument("--pooling", default="attention", help="temporal pooling")
    parser.add_argument("--sizes", action="store_true", help="train nothing: parameters, maps, feature")
    parser.add_argument("--steps", type=int, default=2, help="steps that are timed")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch on a CPU")
    parser.add_argument("--device", default="", help="where to run (default: a GPU if there is one)")
    parser.add_argument("--format", default="simple", help="a table format of tabulate")
    parser.add_argument(
        "--into", type=Path, help=f"also put the table into this page, between {BEGIN} and {END}"
    )
    args = parser.parse_args(argv)
    if args.into:  # told now, not after minutes of measuring
        try:
            _around_table(args.into)
        except (OSError, ValueError) as error:
            parser.error(str(error))
    return args


def _around_table(page: Path) -> tuple[str, str]:
    """What stands before and behind the table of a page, with the comments that mark its place."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{page}: expected {BEGIN} and, after it, {END} where the table belongs")
    return before + begin, end + after


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the host's, about its compiled evaluator
    sys.exit(guard(main))
