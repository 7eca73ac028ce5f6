"""Write a trained model to an ONNX file, which the Predictor, and any program with onnxruntime, can run.

    python tools/export.py log/joint joint.onnx
    python tools/export.py osnet.pth.tar osnet.onnx --model osnet_x0_25

The file gets its name when it says what the model says, to 1e-4. Needs `pip install '.[export]'`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reidar_plugin.errors import ReidarError
from reidar_plugin.inference.onnx_export import OPSET, export_onnx
from reidar_plugin.inference.trained_model import load_trained


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path, help="a checkpoint, weights, or the folder of a run")
    parser.add_argument("out", type=Path, help="the file to write, such as model.onnx")
    parser.add_argument(
        "--model", default="", help="name of the model, where the checkpoint does not know it"
    )
    args = parser.parse_args(argv)
    try:
        trained = load_trained(args.checkpoint, args.model)
        parity = export_onnx(trained, args.out)
    except ReidarError as error:
        print(error, file=sys.stderr)
        return 2
    shapes = ", ".join(f"{clips} x {length}" for clips, length in parity.shapes)
    print(
        f"{args.out}: {trained.card.model}, opset {OPSET}, {args.out.stat().st_size / 2**20:.1f} MB; differs from torch by "
        f"{parity.difference:.1g} at clips x frames of {shapes}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
