"""The ``__main__`` of a spawned worker; whole runs with such workers are in test_script.py."""

import os
import runpy
from pathlib import Path

import pytest

from reidar_plugin.launch import script, worker
from reidar_plugin.plugin import registration
from tests.standin import REPO
from tests.warm import run_python


def test_imported_under_its_own_name_it_does_nothing() -> None:
    assert not registration.is_enabled()
    assert not hasattr(worker, "registration")


def test_as_a_workers_main_it_has_the_scripts_definitions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "main.py"
    main = "if __name__ == '__main__':\n    raise SystemExit('it was launched')\n"
    path.write_text(f"NAME = __name__\nclass Mine: ...\n{main}")
    monkeypatch.setenv(script.SCRIPT_VARIABLE, str(path))
    namespace = runpy.run_path(worker.__file__, run_name="__mp_main__")
    assert registration.is_enabled()
    assert namespace["__file__"] == str(path)
    assert namespace["NAME"] == "__mp_main__"
    assert (
        namespace["Mine"].__module__ == "__mp_main__"
    )  # as it was pickled in the parent, up to the name of main
    assert capsys.readouterr().out == ""


def test_a_worker_without_a_script_is_seen() -> None:
    """The variable comes from the parent; its absence is a fault of ours and shows as one."""
    code = f"import runpy; runpy.run_path({str(worker.__file__)!r}, run_name='__mp_main__')"
    environment = {key: value for key, value in os.environ.items() if key != script.SCRIPT_VARIABLE}
    done = run_python("-c", code, cwd=REPO, environment=environment)
    assert done.returncode == 1
    assert f"KeyError: '{script.SCRIPT_VARIABLE}'" in done.stderr
