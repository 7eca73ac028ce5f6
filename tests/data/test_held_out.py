from pathlib import Path

import pytest
import torch

from reidar_plugin.errors import ConfigError
from tests.engine_rig import build, config, differences, run, weights


def test_held_out_people_are_never_trained_on(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path, reidar__train__held_out=0.34))
    table = engine.datamanager.train_table
    sides = engine.datamanager.test_loader["held-out"]
    out = set(sides["gallery"].dataset.table.pids[:-1].tolist())
    assert len(out) == 2
    seen: set[int] = set()
    for epoch in range(5):
        engine.train_loader.set_epoch(epoch)
        seen |= {pid for batch in engine.train_loader for pid in batch.pids.tolist()}
    assert seen == set(table.pids[:-1].tolist()) - out
    # two cameras with two tracklets each: the first of each camera asks, all are searched
    query, gallery = (sides[part].dataset.table for part in ("query", "gallery"))
    assert (len(query), len(gallery)) == (4, 8)
    assert {(int(p), int(c)) for p, c in zip(query.pids[:-1], query.camids[:-1], strict=True)} == {
        (pid, camid) for pid in out for camid in (0, 1)
    }
    first: dict[tuple[int, int], object] = {}
    for paths, pid, camid in zip(table.paths, table.pids.tolist(), table.camids.tolist(), strict=False):
        first.setdefault((pid, camid), paths)
    asked = zip(query.paths, query.pids.tolist(), query.camids.tolist(), strict=False)
    assert all(paths == first[pid, camid] for paths, pid, camid in asked)


def test_they_choose_the_best_and_this_is_said(
    mars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = run(config(mars, tmp_path, train__max_epoch=1, reidar__train__held_out=0.34))
    output = capsys.readouterr().out
    assert "best so far: mAP of held-out cross-camera" in output
    assert "chosen on people held out of training, not on the test set" in output
    protocols = [record["protocol"] for record in engine.results.retrieval]
    assert protocols == ["held-out cross-camera", "MARS usual", "MARS no-distractors", "MARS mixing"]
    assert engine.results.actions["counts"] == {
        "known": 12,  # of the test set alone
        "unknown": 2,
        "confused": 12,
    }


def test_labels_are_counted_without_them(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path, reidar__train__held_out=0.34))
    order = engine.train_loader.batches.order
    labels = engine.datamanager.train_table.labels[order.indices]
    assert len(labels) == 16
    ratios = engine.objective.losses["weighted_binary_cross_entropy"].ratios
    torch.testing.assert_close(torch.as_tensor(ratios, dtype=torch.float32), labels.mean(dim=0))


def test_goes_on_with_the_same_people(mars: Path, tmp_path: Path) -> None:
    options = {"reidar__train__held_out": 0.34, "test__eval_freq": 1}
    run(config(mars, tmp_path / "a", train__max_epoch=2, **options))
    for epochs in (1, 2):
        run(config(mars, tmp_path / "b", train__max_epoch=epochs, **options))
    ends = [weights(tmp_path / name, "model.pth.tar-2") for name in "ab"]
    assert differences(*ends) == []


@pytest.mark.parametrize(("share", "wanted"), [(0.01, 0), (1.0, 6), (2.0, 12)])
def test_refuses_a_share_that_leaves_nobody(mars: Path, tmp_path: Path, share: float, wanted: int) -> None:
    with pytest.raises(
        ConfigError, match=f"held_out {share:g} asks for {wanted} of 6 training people, of whom 6"
    ):
        build(config(mars, tmp_path, reidar__train__held_out=share))
