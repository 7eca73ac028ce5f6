"""What a model needs by S2DN's way of counting (Table II): parameters, and the activations of forward and backward.

    python tools/memory.py configs/s2dn/mars.yaml
    python tools/memory.py configs/s2dn/mars.yaml configs/s2dn/table1-mars-resnet50.yaml configs/asanet/base.yaml
    python tools/memory.py configs/s2dn/mars.yaml --people 300 model.name reidar_osnet_x1_0

Nothing is trained or downloaded, no data are needed. Counted as the paper's tool (torchsummary) counts: 4 bytes a number;
input is a batch of 32 frames; activations are those of one frame, the output of every layer and block once forward and
once backward. What a GPU really takes in training grows with the frames of a batch.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reidar_plugin.launch.guard import guard

HEADS = (
    "config",
    "model",
    "parameters",
    "input (MB)",
    "forward/backward (MB)",
    "parameters (MB)",
    "total (MB)",
)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="configs (yaml), then KEY VALUE pairs")
    parser.add_argument("--people", type=int, default=625, help="identities in training (MARS: 625)")
    args = parser.parse_intermixed_args(argv)
    from measures.activations import sizes
    from tabulate import tabulate

    from reidar_plugin.launch import subprocesses

    configs, options = subprocesses.configs_and_options(args.configs)
    rows = []
    for config in configs:
        cfg = subprocesses.merged(config, options)
        parameters, *megabytes = sizes(cfg, args.people)
        figures = [f"{value:.2f}" for value in (*megabytes, sum(megabytes))]
        rows.append([Path(config).stem, cfg.model.name, f"{parameters:,}", *figures])
    print(tabulate(rows, headers=HEADS, disable_numparse=True, stralign="right"))


if __name__ == "__main__":
    sys.exit(guard(main))
