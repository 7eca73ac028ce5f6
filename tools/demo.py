"""Train and test a small joint model on a synthetic street, beside three baselines.

    python tools/demo.py                       everything goes to demo-output/
    python tools/demo.py --folder /tmp/demo train.max_epoch 50

A second call goes on where the first one was stopped; delete the folder to begin anew.
"""

import argparse
import sys
from pathlib import Path

from reidar_plugin.launch.guard import guard

HERE = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path("demo-output"), help="where everything goes")
    parser.add_argument(
        "--config", type=Path, default=HERE / "configs" / "demo.yaml", help="of the joint model"
    )
    parser.add_argument("--preset", default="laptop", help="of SynthPed: tiny, laptop, town, city or mars")
    parser.add_argument(
        "opts", nargs=argparse.REMAINDER, metavar="KEY VALUE", help="config keys and their values"
    )
    args = parser.parse_args()
    from reidar_plugin.demo import (
        run_demo,
    )  # in here, so that a torchreid that cannot be imported is one line

    run_demo(args.config, args.folder, args.preset, args.opts)


if __name__ == "__main__":
    sys.exit(guard(main))
