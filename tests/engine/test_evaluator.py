"""What a test reads, and what is judged."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from reidar_plugin.engine import evaluator
from reidar_plugin.errors import ConfigError
from tests import fakes
from tests.engine_rig import build, config, run


@pytest.mark.parametrize(
    ("options", "distance"),
    [
        ({}, "squared Euclidean"),
        ({"test__dist_metric": "cosine"}, "cosine"),
        ({"test__normalize_feature": True}, "squared Euclidean of unit vectors"),
    ],
)
def test_distances(mars: Path, tmp_path: Path, options: dict[str, Any], distance: str) -> None:
    engine = run(config(mars, tmp_path, test__evaluate=True, test__ranks=[1, 3], **options))
    assert {record["distance"] for record in engine.results.retrieval} == {distance}
    assert set(engine.results.retrieval[0]["metrics"]) == {"rank-1", "rank-3", "mAP", "mINP"}
    assert not (tmp_path / "model").exists()


def test_actions_are_evidence(mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranks with and without them are those of features and likelihoods that are joined by hand."""
    original, chance = evaluator.extract, torch.Generator().manual_seed(0)

    def by_chance(*args: Any) -> Any:
        outputs = original(*args)
        return outputs._replace(likelihoods=torch.rand(outputs.likelihoods.shape, generator=chance))

    monkeypatch.setattr(evaluator, "extract", by_chance)
    outcome = build(config(mars, tmp_path, reidar__test__action_weight=5.0)).evaluator("cosine")
    plain, acting = outcome.retrieval[0], outcome.retrieval[3]
    assert (plain.protocol, plain.distance, acting.protocol) == ("usual", "cosine", "usual")
    assert acting.distance == "cosine + 5 x squared difference of action likelihoods"
    query, gallery = outcome.targets[0][1:]
    first = {}
    for weight in (0.0, 5.0):
        hits = []
        for q, feature in enumerate(query.outputs.features):
            costs = {}
            for g, other in enumerate(gallery.outputs.features):
                pid, cam = int(gallery.table.pids[g]), int(gallery.table.camids[g])
                if (pid, cam) != (int(query.table.pids[q]), int(query.table.camids[q])):
                    apart = query.outputs.likelihoods[q] - gallery.outputs.likelihoods[g]
                    costs[g] = 1 - torch.cosine_similarity(feature, other, dim=0) + weight * (apart**2).sum()
            order = sorted(costs, key=lambda g: float(costs[g]))
            hits.append([gallery.table.pids[g] == query.table.pids[q] for g in order].index(True) + 1)
        first[weight] = hits
    assert outcome.first == [plain]
    assert plain.retrieval.first_match.tolist() == first[0.0]
    assert acting.retrieval.first_match.tolist() == first[5.0]
    assert first[0.0] != first[5.0]  # else nothing is shown


def test_no_evidence_without_an_action_network(mars: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"reidar__model__num_actions": 0, "reidar__loss__terms": ["ranked_list"]}
    network = build(config(mars, tmp_path, **options))
    network.evaluator.options = replace(network.evaluator.options, action_weight=0.1)
    with pytest.raises(ConfigError, match=r"reidar\.test\.action_weight: the model has no action network"):
        network.evaluator()


def test_a_test_draws_no_chance(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path, reidar__test__thresholds="train"))
    before = torch.get_rng_state()
    engine.test()
    assert torch.equal(before, torch.get_rng_state())


def test_thresholds_from_the_training_people(mars: Path, tmp_path: Path) -> None:
    half = build(config(mars, tmp_path)).evaluator()
    chosen = build(config(mars, tmp_path, reidar__test__thresholds="train")).evaluator()
    assert set(half.actions.thresholds) == {0.5}
    assert set(chosen.actions.thresholds) != {0.5}


def test_finds_out_before_training_that_no_query_can_be_answered(tmp_path: Path) -> None:
    fakes.write_mars(tmp_path, train_people=6, test_people=3, cameras=1, frames=2)
    with pytest.raises(
        ConfigError,
        match=r"mars_actions: none of 3 queries has its person in another camera .* \(5 t",
    ):
        run(config(tmp_path, tmp_path / "log"))
    assert not list((tmp_path / "log").glob("model/model*"))


def test_trains_on_a_plain_data_set_with_unknown_actions(mars: Path, tmp_path: Path) -> None:
    engine = run(config(mars, tmp_path, data__sources=["mars"], data__targets=["mars"], train__max_epoch=1))
    row = engine.history.epochs[0]
    assert row["weighted_binary_cross_entropy"] == row["action_centre"] == 0
    assert row["ranked_list"] > 0
    assert engine.results.actions is None
    assert len(engine.results.retrieval) == 3


def test_two_sources_and_three_targets_at_once(tmp_path: Path) -> None:
    fakes.write_mars(tmp_path, train_people=4, test_people=3, frames=2)
    fakes.write_lpw(tmp_path, frames=2)
    fakes.write_ilidsvid(tmp_path, people=8, frames=2)
    names = ["mars_actions", "lpw_actions"]
    engine = run(
        config(
            tmp_path,
            tmp_path / "log",
            data__sources=names,
            data__targets=[*names, "ilidsvid"],
            train__max_epoch=1,
        )
    )
    protocols = [record["protocol"] for record in engine.results.retrieval]
    assert protocols == [
        "MARS usual",
        "MARS no-distractors",
        "MARS mixing",
        "LPW scene-1",
        "iLIDS-VID split-0",
    ]
    assert engine.history.epochs[0]["weighted_binary_cross_entropy"] > 0
    last = engine.results.retrieval[-1]["metrics"]["rank-1"]
    assert engine.history.rank1 == pytest.approx(last)  # of the last target, as the host has it
    assert engine.history.best.what == "mAP of MARS usual (squared Euclidean)"


def test_training_tracklets_are_cut_as_test_tracklets_are(
    mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thresholds would else be chosen on likelihoods that are averaged over other clips than those at test."""
    plans: dict[str, Any] = {}
    original = evaluator.extract

    def noting(network: Any, loader: Any, normalise: Any, precision: Any, title: str) -> Any:
        plans[title] = loader.dataset.plan
        return original(network, loader, normalise, precision, title)

    monkeypatch.setattr(evaluator, "extract", noting)
    options = {"reidar__data__test_clips": "interleaved", "reidar__data__test_max_clips": 1}
    engine = build(config(mars, tmp_path, reidar__test__thresholds="train", **options))
    engine.evaluator()
    sizes = [len(paths) for paths in engine.datamanager.train_table.paths]
    assert set(sizes) == {3, 5}
    plan = plans["training tracklets"]
    assert plan.tracklets.tolist() == list(range(len(sizes)))  # one clip each
    # every second frame of 3 and every third of 5, where consecutive clips would be [0, 1]
    assert plan.frames.tolist() == [[0, 2] if size == 3 else [0, 3] for size in sizes]
    assert len(plans["mars_actions query"].tracklets) == 6
