"""Run a launch script of the torchreid toolbox with the plugin on.

    python -m reidar_plugin path/to/scripts/main.py --config-file CONFIG -s NAME --root DIR [KEY VALUE ...]

Everything after the script is the script's own.
"""

import sys

from reidar_plugin.io.console import open_streams
from reidar_plugin.launch.script import run_script

USAGE = "usage: python -m reidar_plugin SCRIPT [ARGS ...]\n"


def main(argv: list[str]) -> int:
    """Exit status of the script, 2 where it could not be started."""
    open_streams()
    if not argv:
        sys.stderr.write(
            USAGE + "error: no script given; expected the toolbox's launch script, such as scripts/main.py\n"
        )
        return 2
    if argv[0] in ("-h", "--help"):
        print(USAGE + "\n" + str(__doc__).strip())
        return 0
    if argv[0].startswith("-"):
        sys.stderr.write(
            USAGE + f"error: expected a script, got the flag {argv[0]!r}; flags of the script come after it\n"
        )
        return 2
    return run_script(argv[0], argv[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
