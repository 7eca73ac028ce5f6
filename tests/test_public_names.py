"""The public face: what ``import reidar_plugin`` offers, and that importing it does nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import reidar_plugin
from reidar_plugin import report
from tests.standin import REPO

NAMES = {
    *("enable", "disable", "register_model", "add_reidar_config", "default_config", "run"),
    *("JointEngine", "ClipDataManager", "build_joint", "Objective", "Predictor", "read_results"),
}


def test_the_public_names_are_exactly_these() -> None:
    assert set(reidar_plugin.__all__) == NAMES
    assert set(dir(reidar_plugin)) >= NAMES


def test_importing_does_nothing() -> None:
    loaded = "sorted({'torch', 'torchreid', 'yacs', 'cv2', 'numpy'} & set(sys.modules))"
    code = f"import sys, reidar_plugin; dir(reidar_plugin); print(reidar_plugin.__version__, {loaded})"
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout
    assert out.split() == [reidar_plugin.__version__, "[]"]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_is_the_one_of_its_module(name: str) -> None:
    public = getattr(reidar_plugin, name)
    assert public.__name__ == name
    home = sys.modules[public.__module__]
    assert getattr(home, name) is public
    assert public.__doc__


def test_type_checkers_see_the_same_names() -> None:
    """The imports under TYPE_CHECKING name the modules from which the names are taken at run time."""
    tree = ast.parse(Path(str(reidar_plugin.__file__)).read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    typed = {
        alias.name: str(node.module).removeprefix("reidar_plugin.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == reidar_plugin._HOMES


def test_other_names_are_an_error() -> None:
    with pytest.raises(AttributeError, match="module 'reidar_plugin' has no attribute 'enabel'"):
        reidar_plugin.enabel  # noqa: B018
    assert report.__name__ == "reidar_plugin.report"  # modules are found as ever
