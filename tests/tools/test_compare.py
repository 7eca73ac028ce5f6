"""tools/compare.py, run as a user runs it."""

import re
import runpy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from reidar_plugin.metrics.intervals import paired_test
from reidar_plugin.metrics.protocol_results import evaluate_retrieval
from reidar_plugin.metrics.protocols import TrackletFeatures, protocols_of
from reidar_plugin.report.results import Results, collect_results, write_results
from tests.tools.guarded import guarded

TOOL = runpy.run_path(str(Path(__file__).resolve().parents[2] / "tools/compare.py"))
main = guarded(TOOL["main"])


def made_up(
    noise: float, people: int = 40, dataset: str = "mars", name: str = "model", split: int = 0
) -> Results:
    draw = torch.Generator().manual_seed(0)
    pids, cameras = torch.arange(people).repeat(3), torch.arange(3).repeat_interleave(people)
    centres = torch.randn(people, 8, generator=draw)[pids]
    everyone = TrackletFeatures(
        centres + noise * torch.randn(centres.shape, generator=draw), pids + 1, cameras
    )
    query, gallery = everyone.take(cameras == 0), everyone.take(cameras > 0)
    return collect_results(
        name, evaluate_retrieval(query, gallery, protocols_of(dataset, split)), resamples=50
    )


def test_finds_the_better_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    worse, better = made_up(1.2, name="without"), made_up(0.8, name="joint")
    paths = [str(write_results(results, tmp_path / results.name)) for results in (worse, better)]
    assert main(paths) == 0
    printed = capsys.readouterr().out
    gap = better.retrieval[0]["metrics"]["mAP"] - worse.retrieval[0]["metrics"]["mAP"]
    assert gap > 0.05
    line = next(line for line in printed.splitlines() if line.startswith("MARS usual mAP"))
    assert re.split(r"\s{2,}", line)[1] == f"{100 * gap:+.2f}"
    test = paired_test(worse.per_query["0/mAP"], better.per_query["0/mAP"])
    assert re.split(r"\s{2,}", line)[3] == f"{test.p_value:.4f}"
    assert test.p_value < 0.01
    assert printed.count("MARS ") == 9
    assert "(without)" in printed
    assert "(joint)" in printed


def test_mean_over_splits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    splits = [made_up(noise, dataset="prid2011", split=place) for place, noise in enumerate((1.0, 1.1, 1.3))]
    paths = [str(write_results(split, tmp_path / str(place))) for place, split in enumerate(splits)]
    assert main(["--mean", *paths]) == 0
    *_, mean, ends = (re.split(r"\s{2,}", line) for line in capsys.readouterr().out.splitlines())
    values = [split.retrieval[0]["metrics"]["mAP"] for split in splits]
    assert len(set(values)) == 3
    assert (mean[0], mean[-2]) == ("PRID2011 mean of 3 splits", f"{100 * sum(values) / 3:.2f}")
    assert ends[-2] == f"{100 * min(values):.1f} .. {100 * max(values):.1f}"
    for wrong, message in (
        ([paths[0], paths[0]], r"different splits .* got PRID2011 split-0 \(.*\), PRID2011 split-0"),
        ([paths[0], str(write_results(made_up(1.0), tmp_path / "mars"))], r"one data set .* MARS mixing"),
        (
            [paths[0], str(write_results(made_up(1.0, dataset="ilidsvid", split=1), tmp_path / "i"))],
            r"iLIDS-VID split-1",
        ),
    ):
        assert main(["--mean", *wrong]) == 2
        assert re.search(message, capsys.readouterr().err)


def test_by_person_draws_people() -> None:
    worse, better = made_up(1.2), made_up(0.8)
    by_query, by_person = (TOOL["compare"](worse, better, by_person=choice) for choice in (False, True))
    assert by_query["MARS usual mAP"].difference.mean == by_person["MARS usual mAP"].difference.mean
    # one query a person: the same test
    assert by_query["MARS usual mAP"].difference == pytest.approx(by_person["MARS usual mAP"].difference)


def test_refuses_what_cannot_be_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [
        str(write_results(results, tmp_path / str(place)))
        for place, results in enumerate(
            (made_up(1.0), made_up(1.0, people=39), made_up(1.0, dataset="ilidsvid"))
        )
    ]
    assert main(paths[:2]) == 2
    assert re.search(
        r"MARS usual: .* other queries .*\(40 x 80, .* against 39 x 78, ", capsys.readouterr().err
    )
    assert main(paths[1:]) == 2
    assert (
        "no protocol in common: MARS usual, MARS no-distractors, MARS mixing against iLIDS-VID split-0"
        in (capsys.readouterr().err)
    )
    assert main([paths[0], str(tmp_path / "nowhere")]) == 2
    assert "no results at" in capsys.readouterr().err
    assert main(paths) == 2
    assert "needs one or two results, got 3" in capsys.readouterr().err


def test_with_and_without_actions_in_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, acting = made_up(1.2), made_up(0.8)
    moved = {
        f"{int(key.split('/')[0]) + 3}/{key.split('/')[1]}": each for key, each in acting.per_query.items()
    }
    both = replace(
        plain,
        retrieval=plain.retrieval + tuple({**test, "action_weight": 0.1} for test in acting.retrieval),
        per_query={**plain.per_query, **moved},
    )
    path = str(write_results(both, tmp_path))
    assert main([path]) == 0
    printed = capsys.readouterr().out
    gap = acting.retrieval[0]["metrics"]["mAP"] - plain.retrieval[0]["metrics"]["mAP"]
    assert gap > 0.05
    line = next(line for line in printed.splitlines() if line.startswith("MARS usual mAP"))
    assert re.split(r"\s{2,}", line)[1] == f"{100 * gap:+.2f}"
    assert printed.count("MARS ") == 9
    assert main([str(write_results(plain, tmp_path / "plain"))]) == 2
    assert "where reidar.test.action_weight was set" in capsys.readouterr().err
