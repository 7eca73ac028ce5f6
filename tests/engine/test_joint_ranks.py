"""Whole runs by two ranks: the same table as one, the same bits after an interruption, and one that writes."""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch

from reidar_plugin.engine import reporting
from tests.engine_rig import config, differences, run, weights
from tests.ranks.rig import on_ranks

pytestmark = pytest.mark.slow

#: No dropout is drawn for these terms, so that ranks and one rank can be compared.
TERMS = ["smoothed_cross_entropy", "ranked_list", "identity_centre", "erasing"]


def trained(root: Path, save_dir: Path, **options: Any) -> str:
    """What a run prints."""
    with redirect_stdout(StringIO()) as said:
        run(config(root, save_dir, **options))
    return said.getvalue()


def runs(root: Path, folder: Path) -> list[str]:
    """A run, one in two goes and the same in one, and a test of the first run's weights; none draws its losses."""
    reporting.draw_training = lambda history, folder: None
    whole = trained(root, folder / "whole", reidar__loss__terms=TERMS)
    trained(root, folder / "parts", train__max_epoch=1, test__eval_freq=1)
    again = trained(root, folder / "parts", test__eval_freq=1)
    trained(root, folder / "dropout", test__eval_freq=1)
    best = folder / "whole" / "model" / "model-best.pth.tar"
    trained(
        root, folder / "test", test__evaluate=True, model__load_weights=str(best), reidar__loss__terms=TERMS
    )
    return [whole, again]


@pytest.fixture(scope="module")
def folder(mars: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    said = on_ranks(2, runs, mars, folder)
    (folder / "said.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


def results(save_dir: Path) -> dict[str, Any]:
    told = json.loads((save_dir / "results.json").read_text(encoding="utf-8"))
    return {key: told[key] for key in ("retrieval", "actions")}


def test_one_rank_prints_and_writes(folder: Path) -> None:
    first, _ = json.loads((folder / "said.json").read_text(encoding="utf-8"))
    assert "4 clips a step by 2 ranks over gloo" in first[0]
    assert len(list((folder / "whole").glob("events.*"))) == 1
    assert not (folder / "whole" / "model" / ".probe.part").exists()


def test_trains_as_one_rank(folder: Path, mars: Path, tmp_path: Path) -> None:
    trained(mars, tmp_path, reidar__loss__terms=TERMS)
    one, two = (weights(each, "model.pth.tar-2") for each in (tmp_path, folder / "whole"))
    rows = [state["reidar"]["parts"]["record"]["history"] for state in (one, two)]
    for mine, its in zip(*rows, strict=True):
        assert its == pytest.approx(mine, rel=1e-3)
    centres = [
        state["reidar"]["parts"]["objective"]["losses.identity_centre.centres"] for state in (one, two)
    ]
    torch.testing.assert_close(*centres, rtol=1e-3, atol=1e-3)


def test_tests_as_one_rank(folder: Path, mars: Path, tmp_path: Path) -> None:
    best = folder / "whole" / "model" / "model-best.pth.tar"
    trained(mars, tmp_path, test__evaluate=True, model__load_weights=str(best), reidar__loss__terms=TERMS)
    assert results(tmp_path) == results(folder / "test")


def test_goes_on_with_the_same_bits(folder: Path) -> None:
    one, two = (weights(folder / each, "model.pth.tar-2") for each in ("dropout", "parts"))
    assert differences(one, two) == []
    assert one["reidar"]["ranks"] == 2


def test_another_number_of_ranks_is_told(
    folder: Path, mars: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(config(mars, folder / "parts", train__max_epoch=3))
    printed = capsys.readouterr().out
    assert "model.pth.tar-2 was saved by 2 ranks, here are 1: the same batches follow" in printed
    assert weights(folder / "parts", "model.pth.tar-3")["epoch"] == 3
