"""Tables print what results.json holds."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from reidar_plugin.errors import InputError
from reidar_plugin.metrics.intervals import paired_test
from reidar_plugin.metrics.protocol_results import Reranking, evaluate_retrieval
from reidar_plugin.metrics.protocols import TrackletFeatures, protocols_of
from reidar_plugin.report.results import Results, collect_results
from reidar_plugin.report.tables import (
    action_table,
    comparison_table,
    paired_table,
    retrieval_table,
    splits_table,
)
from tests.report.made_up import made_up


def test_tables_print_what_the_file_holds() -> None:
    results = made_up()
    table = retrieval_table(results)
    for test in results.retrieval:
        line = next(line for line in table.splitlines() if line.startswith(test["protocol"]))
        for value in test["metrics"].values():
            assert f"{100 * value:.2f}" in line
        assert test["summary"] in table
    assert "6 of 6 x 8" in table
    assert "95% bootstrap" in table


def test_re_ranked_rows_say_so() -> None:
    draw = torch.Generator().manual_seed(0)
    pids = torch.arange(8)
    sides = [
        TrackletFeatures(torch.randn(8, 4, generator=draw), pids, torch.full((8,), camera))
        for camera in (0, 1)
    ]
    protocols = protocols_of("prid2011")
    tests = [evaluate_retrieval(*sides, protocols, reranking=choice)[0] for choice in (None, Reranking())]
    results = collect_results("x", tests, resamples=20)
    assert [test["reranked"] for test in results.retrieval] == [False, True]
    assert [line.split("  ")[0] for line in retrieval_table(results).splitlines()[2:4]] == [
        "PRID2011 split-0",
        "PRID2011 split-0 (re-ranked)",
    ]
    assert "k1 20, k2 6, lambda 0.3" in retrieval_table(results)


def test_action_table_calls_things_by_their_names() -> None:
    table = action_table(made_up())
    assert "macro precision (the papers' 'mAP') 100.00" in table
    assert "2 tracklets; 1 more of unknown actions are left out" in table
    assert action_table(collect_results("x")) == "No action was judged."
    assert retrieval_table(collect_results("x")) == "No retrieval was tested."


def test_comparison_needs_the_same_protocol() -> None:
    table = comparison_table({"untrained": made_up(seed=1), "joint": made_up()}, "MARS mixing")
    assert [line.split()[0] for line in table.splitlines()[2:]] == ["untrained", "joint"]
    with pytest.raises(
        ValueError, match=r"joint was not tested under 'LPW scene-1'; its protocols are MARS usual, "
    ):
        comparison_table({"joint": made_up()}, "LPW scene-1")


def split(protocol: str, rank1: float, distance: str = "cosine") -> Results:
    """Results of one test that found nothing but rank-1."""
    test = {"protocol": protocol, "distance": distance, "metrics": {"rank-1": rank1, "mAP": rank1 / 2}}
    return replace(collect_results("x"), retrieval=(test,))


def test_splits_are_averaged() -> None:
    splits = [split(f"PRID2011 split-{index}", share) for index, share in enumerate((0.5, 0.6, 0.85))]
    header, _, *rows = splits_table(splits).splitlines()
    assert header.split() == ["protocol", "rank-1", "mAP"]
    assert [row.split()[-2:] for row in rows[:4]] == [
        ["50.00", "25.00"],
        ["60.00", "30.00"],
        ["85.00", "42.50"],
        ["65.00", "32.50"],
    ]
    assert rows[3].startswith("PRID2011 mean of 3 splits ")
    assert rows[4].split() == ["lowest", "..", "highest", "50.0", "..", "85.0", "25.0", "..", "42.5"]


@pytest.mark.parametrize(
    ("splits", "given"),
    [
        ([("PRID2011 split-0", "cosine")], r"PRID2011 split-0 \(cosine\)$"),
        ([("PRID2011 split-0", "cosine")] * 2, r"split-0 \(cosine\), PRID2011 split-0 \(cosine\)$"),
        ([(f"PRID2011 split-{index}", "cosine") for index in (0, 0, 1)], r"split-0 .* split-0 .* split-1"),
        ([("PRID2011 split-0", "cosine"), ("iLIDS-VID split-1", "cosine")], "iLIDS-VID split-1"),
        ([("PRID2011 split-0", "cosine"), ("PRID2011 split-1", "Euclidean")], "Euclidean"),
        ([("MARS usual", "cosine"), ("MARS mixing", "cosine")], "MARS mixing"),
        ([], "none$"),
    ],
)
def test_a_mean_needs_different_splits_of_one_kind(splits: Sequence[tuple[str, str]], given: str) -> None:
    with pytest.raises(
        ValueError, match=rf"different splits of one data set and one distance, got .*{given}"
    ):
        splits_table([split(protocol, 0.5, distance) for protocol, distance in splits])


def test_a_mean_needs_the_same_metrics() -> None:
    one, other = (split(f"PRID2011 split-{index}", 0.5) for index in (0, 1))
    del other.retrieval[0]["metrics"]["rank-1"]
    with pytest.raises(InputError, match="the same metrics of all splits"):
        splits_table([one, other])


def test_paired_tests_say_which_model_is_judged() -> None:
    test = paired_test(torch.tensor([0.0, 0.5, 1.0, 0.0]).numpy(), torch.tensor([1.0, 1.0, 0.5, 0.0]).numpy())
    header, _, row = paired_table({"MARS usual mAP": test}, "A", "B").splitlines()
    assert "B - A" in header
    assert row.startswith("MARS usual mAP  ")
    assert "+25.00" in row
    assert row.split()[-2:] == ["2", "1"]


def test_rows_with_actions_say_so_once() -> None:
    draw = torch.Generator().manual_seed(0)
    pids = torch.arange(1, 9)
    sides = [
        TrackletFeatures(torch.randn(8, 4, generator=draw), pids, torch.full((8,), camera))
        for camera in (0, 1)
    ]
    tests = [
        one
        for weight in (0.0, 0.5)
        for one in evaluate_retrieval(*sides, protocols_of("mars"), action_weight=weight)
    ]
    table = retrieval_table(collect_results("x", tests, resamples=20))
    assert [line.split("  ")[0] for line in table.splitlines()[5:8]] == [
        "MARS usual with actions",
        "MARS no-distractors with actions",
        "MARS mixing with actions",
    ]
    assert table.count("cosine + 0.5 x squared difference of action likelihoods") == 1
