"""Write a trained model to an ONNX file, which the Predictor, and any program with onnxruntime, can run.

    python tools/export.py log/joint joint.onnx
    python tools/export.py log/joint joint.onnx --half                                  # half the size
    python tools/export.py log/joint joint.onnx --int8 --check-on reid-data/synthped    # convolutions in int8
    python tools/export.py osnet.pth.tar osnet.onnx --model osnet_x0_25 --settings data.height 224 data.width 112

The file gets its name when it says what the model says, to 1e-4 before it is made smaller. With --check-on both are
tested on the test tracklets of a data set, and a file whose mAP of people or actions differs by more than 0.5 points is
not written; both are judged by plain distances, without re-ranking. Needs `pip install '.[export]'`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reidar_plugin.launch.guard import guard
from reidar_plugin.launch.model_flags import add_model_flags, settings_of

if TYPE_CHECKING:
    from reidar_plugin.launch.export import Exported


def main(argv: Sequence[str] | None = None) -> None:
    args = parser().parse_args(argv)
    from reidar_plugin.inference.onnx_export import OPSET
    from reidar_plugin.inference.trained_model import load_trained
    from reidar_plugin.launch.export import export

    trained = load_trained(args.checkpoint, args.network, settings_of(args.settings))
    done = export(trained, args.out, args.reduction, args.check_on)
    size = args.out.stat().st_size / 2**20
    print(
        f"{args.out}: {trained.card.model}, opset {OPSET}, {size:.2f} MB{f', {args.reduction}' * bool(args.reduction)}"
    )
    print("\n".join(told(done, args.reduction)))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("checkpoint", type=Path, help="a checkpoint, weights, or the folder of a run")
    made.add_argument("out", type=Path, help="the file to write, such as model.onnx")
    add_model_flags(made)
    smaller = made.add_mutually_exclusive_group()
    smaller.add_argument(
        "--half", dest="reduction", action="store_const", const="half", default="", help="numbers in float16"
    )
    smaller.add_argument(
        "--int8", dest="reduction", action="store_const", const="int8", help="convolutions in int8"
    )
    made.add_argument(
        "--check-on", type=Path, metavar="FOLDER/DATASET", help="test torch and the file, and calibrate int8"
    )
    return made


def told(done: "Exported", reduction: str) -> list[str]:
    shapes = ", ".join(f"{clips} x {length}" for clips, length in done.parity.shapes)
    whole = ", before it was made smaller," if reduction else ""
    lines = [f"differs{whole} from torch by {done.parity.difference:.1g} at clips x frames of {shapes}"]
    if done.figures is not None:
        lines += [
            f"{name:<6} {each.words()}" for name, each in zip(("torch:", "file:"), done.figures, strict=True)
        ]
        lines.append(
            "by plain distances, without re-ranking and without actions as evidence, whatever the config says"
        )
    elif reduction:
        lines.append("what that costs in mAP was not measured: --check-on FOLDER/DATASET does")
    return lines


if __name__ == "__main__":
    sys.exit(guard(main))
