"""``__main__`` of a worker that the runner's process has spawned: the plugin on, and the script's module.

Such a worker is a fresh interpreter. Python re-makes the parent's ``__main__`` there by running this module under the
name ``__mp_main__``; imported under its own name, the module does nothing.
"""

import os

if __name__ == "__mp_main__":
    from reidar_plugin import host
    from reidar_plugin.launch import script
    from reidar_plugin.plugin import registration

    registration.enable(quiet=True)
    host.alias_clone_layout()
    script.run_definitions(os.environ[script.SCRIPT_VARIABLE], globals())
