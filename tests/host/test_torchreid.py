"""torchreid as the plugin finds it: its layout, its tables, and how its functions are replaced."""

import sys
import types
from pathlib import Path

import pytest

from reidar_plugin import errors, host


def test_says_which_torchreid_is_in_use() -> None:
    found = host.describe()
    top = sys.modules["torchreid"]
    assert found.version == top.__version__
    assert (found.layout == "package") == hasattr(top, "reid")
    assert Path(host.reid.__file__).resolve().is_relative_to(found.path)


def test_tables_are_the_live_ones() -> None:
    host.model_table()["toy"] = lambda num_classes, **rest: num_classes
    try:
        assert host.reid.models.build_model("toy", 5, pretrained=False, use_gpu=False) == 5
    finally:
        del host.model_table()["toy"]
    assert "mars" in host.dataset_table("video")
    assert "market1501" in host.dataset_table("image")


def test_a_table_that_is_gone_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(vars(host.reid.models), "__model_factory")
    with pytest.raises(errors.HostError, match="has no table __model_factory"):
        host.model_table()


def test_another_package_of_that_name_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = types.ModuleType("torchreid")
    stranger.__file__ = "/some/where/torchreid.py"
    for name in [name for name in sys.modules if name.split(".")[0] == "torchreid"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchreid", stranger)
    with pytest.raises(
        errors.HostError,
        match=r"/some/where/torchreid\.py is not the toolbox the plugin knows: it has no data",
    ):
        host.describe()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("raise ImportError('first line\\nsecond line')", "first line second line"),
        ("import numpy; numpy.no_such_name", "has no attribute 'no_such_name'"),
        ("import a_module_that_nobody_has", "No module named 'a_module_that_nobody_has'"),
    ],
)
def test_a_torchreid_that_does_not_import_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, reason: str
) -> None:
    (tmp_path / "torchreid").mkdir()
    (tmp_path / "torchreid/__init__.py").write_text(content)
    for name in [name for name in sys.modules if name.split(".")[0] == "torchreid"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        errors.HostError, match=f"torchreid cannot be imported: .*{reason}; the plugin"
    ) as caught:
        host.describe()
    assert "\n" not in str(caught.value)


def test_its_warning_of_an_evaluator_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "torchreid").mkdir()
    said = "import warnings; warnings.warn('Cython evaluation is UNAVAILABLE'); warnings.warn('another')\n"
    parts = "data = engine = losses = metrics = models = optim = utils = None\n"
    (tmp_path / "torchreid/__init__.py").write_text(said + parts)
    for name in [name for name in sys.modules if name.split(".")[0] == "torchreid"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    host.describe()
    assert [str(each.message) for each in recwarn] == ["another"]


def test_clone_names_are_added_and_taken_back() -> None:
    if host.describe().layout == "clone":
        pytest.skip("a clone has those names itself")
    before = set(sys.modules)
    host.alias_clone_layout()
    import torchreid.utils  # what the first line of the toolbox's script needs

    assert torchreid.utils.read_image is host.reid.utils.read_image
    host.unalias_clone_layout()
    assert set(sys.modules) == before


class TestReplace:
    def test_reaches_every_module_that_imported_it_and_undoes_itself(self) -> None:
        reid = host.reid
        home, user = reid.utils.tools, sys.modules[f"{reid.__name__}.data.datasets.dataset"]
        original = home.read_image
        assert user.read_image is original
        host.replace(home, "read_image", lambda inner: lambda path: "replaced")
        assert user.read_image("x") == home.read_image("x") == "replaced"
        host.restore(home, "read_image")
        assert user.read_image is home.read_image is original

    def test_a_name_that_the_host_lacks(self) -> None:
        with pytest.raises(errors.HostError, match=r"tools has no read_film"):
            host.replace(host.reid.utils.tools, "read_film", lambda inner: inner)
        host.restore(host.reid.utils.tools, "read_film")

    def test_a_second_replacement_takes_the_place_of_the_first(self) -> None:
        home = host.reid.utils.tools
        original = home.read_image
        seen = []
        for _ in range(2):
            host.replace(home, "read_image", lambda inner: seen.append(inner) or (lambda path: "replaced"))
        assert seen == [original, original]
        host.restore(home, "read_image")
        host.restore(home, "read_image")
        assert home.read_image is original

    def test_several_at_once_and_those_of_a_class(self) -> None:
        home, user = host.reid.utils.tools, sys.modules[f"{host.reid.__name__}.data.datasets.dataset"]
        holders = [(home, "read_image"), (home, "mkdir_if_missing"), (host.reid.engine.Engine, "save_model")]
        originals = [vars(holder)[name] for holder, name in holders]
        host.replace_all((holder, name, lambda inner: lambda *given: inner) for holder, name in holders)
        assert [getattr(holder, name)() for holder, name in holders] == originals
        assert user.read_image() is originals[0]
        host.restore_all(holders)
        assert [vars(holder)[name] for holder, name in holders] == originals
        assert user.read_image is originals[0]
