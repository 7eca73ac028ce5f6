"""``training.png`` at the end of a training."""

import sys
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.checkpoint.history import RunHistory
from reidar_plugin.engine import reporting
from reidar_plugin.engine.reporting import draw_training
from reidar_plugin.errors import ReidarError

HISTORY = RunHistory(
    [
        {"epoch": 1, "lr": 0.1, "loss": 3.0, "triplet": 1.0, "gradient_norm": 9.0},
        {"epoch": 2, "lr": 0.01, "loss": 2.0, "triplet": 0.5, "gradient_norm": 8.0},
    ]
)


def test_shows_every_term_and_the_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(reporting, "save_chart", lambda figure, path: drawn.append((figure, path)))
    draw_training(HISTORY, tmp_path)
    [(figure, path)] = drawn
    assert path == tmp_path / "training.png"
    above, below = figure.axes
    values = {line.get_label(): list(line.get_ydata()) for line in above.lines}
    assert values == {"loss, the weighted sum": [3.0, 2.0], "triplet": [1.0, 0.5]}
    assert list(below.lines[0].get_ydata()) == [0.1, 0.01]
    assert list(below.lines[0].get_xdata()) == [1, 2]


def test_nothing_is_drawn_of_no_epoch(tmp_path: Path) -> None:
    draw_training(RunHistory(), tmp_path)
    assert not list(tmp_path.iterdir())
    draw_training(HISTORY, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["training.png"]


def test_training_ends_well_without_matplotlib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    draw_training(HISTORY, tmp_path)
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{tmp_path / 'training.png'} is not drawn: charts need matplotlib")
    assert line.endswith("pip install 'reidar-plugin[report]'")
    assert not list(tmp_path.iterdir())


def test_a_chart_needs_no_scikit_learn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    draw_training(HISTORY, tmp_path)
    assert (tmp_path / "training.png").is_file()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "training.png").mkdir()
    with pytest.raises(ReidarError, match=r"training.png cannot be written: "):
        draw_training(HISTORY, tmp_path)
