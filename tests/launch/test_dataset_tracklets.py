"""Test tracklets of a data set."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reidar_plugin import host
from reidar_plugin.errors import ConfigError, InputError, MissingFileError
from reidar_plugin.launch import dataset_tracklets as module
from reidar_plugin.launch.dataset_tracklets import dataset_tracklets


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    def corridor(root: str, transform: Any, verbose: bool) -> Any:
        return SimpleNamespace(query=[(("a.jpg", "b.jpg"), 7, 0, 0)], gallery=[(("c.jpg",), 7, 1)])

    def broken(root: str, transform: Any, verbose: bool) -> Any:
        raise RuntimeError("no folder")

    monkeypatch.setattr(module, "enable", lambda cfg, quiet: None)
    monkeypatch.setattr(host, "dataset_table", lambda kind: {"corridor": corridor, "broken": broken})


def test_query_and_gallery(tmp_path: Path) -> None:
    first, second = dataset_tracklets("corridor", str(tmp_path))
    assert first == ("camera 1", "00000", ["a.jpg", "b.jpg"])
    assert second == ("camera 2", "00001", ["c.jpg"])


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no video data set; did you mean 'corridor'\?"):
        dataset_tracklets("coridor", str(tmp_path))
    with pytest.raises(
        MissingFileError, match="lost: expected the folder of data sets, there is none; name it"
    ):
        dataset_tracklets("corridor", str(tmp_path / "lost"))
    assert not (tmp_path / "lost").exists()
    with pytest.raises(InputError, match=r"cannot be read \(RuntimeError: no folder\)"):
        dataset_tracklets("broken", str(tmp_path))
