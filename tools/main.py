"""Train or test with the plugin on, for the PyPI package of torchreid, which ships no launch script.

    python tools/main.py --config-file configs/demo.yaml --root reid-data
    python tools/main.py --config-file configs/demo.yaml --root reid-data model.load_weights FILE test.evaluate True
    torchrun --nproc-per-node 4 tools/main.py --config-file configs/re-id-ar/base.yaml --root reid-data

The flags are those of the toolbox's scripts/main.py: --config-file, -s, -t, --transforms, --root, then KEY VALUE pairs.
"""

import sys

from reidar_plugin.launch.guard import guard


def main() -> None:
    from reidar_plugin import launch  # in here, so that a torchreid that cannot be imported is one line

    launch.main()


if __name__ == "__main__":
    sys.exit(guard(main, ranks=True))
