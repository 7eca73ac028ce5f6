"""A table beside what was run, on made-up results: what stands where, and that printed figures never stand under ours."""

import json
import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from reidar_plugin.report.published import published_table
from reidar_plugin.report.reproduced import (
    OURS,
    PRINTED,
    RELEASED,
    Outcome,
    markdown,
    record_of,
    tables_of,
    write_reproduced,
)
from reidar_plugin.report.results import Results
from tests.report.test_bench_table import acting
from tests.tools.test_compare import made_up

TABLE = published_table("re-id-ar/6")


def outcomes() -> list[Outcome]:
    """Lambda 0.8 has two seeds, 0.5 has also a run as released, the others are not run yet."""
    eight, five, *rest = TABLE.cells
    return [
        Outcome(eight, "no-distractors", {"laptop-0": {1: made_up(1.0), 2: made_up(1.2)}}, {}, 2, 0),
        Outcome(
            five, "no-distractors", {"laptop-0": {1: made_up(1.1)}}, {"laptop-0": {1: made_up(0.8)}}, 2, 2
        ),
        *(Outcome(cell, "no-distractors", {}, {}, 2, 0) for cell in rest),
    ]


def test_ours_is_read_under_the_protocol_of_the_row() -> None:
    record = record_of(TABLE, outcomes(), resamples=200)
    runs = [made_up(1.0), made_up(1.2)]
    side = record["rows"][0]["ours"]
    assert (side["protocol"], side["runs"]) == ("MARS no-distractors", 2)
    for protocol, number in (("MARS usual", 0), ("MARS no-distractors", 1), ("MARS mixing", 2)):
        values = [run.retrieval[number]["metrics"]["mAP"] for run in runs]
        found = side["protocols"][protocol]["mAP"]
        assert found["mean"] == pytest.approx(statistics.fmean(values))
        assert found["deviation"] == pytest.approx(statistics.stdev(values))
        assert found["low"] < found["mean"] < found["high"]
    assert side["figures"]["mAP"] == side["protocols"]["MARS no-distractors"]["mAP"]
    assert record["rows"][1]["ours"]["figures"]["mAP"]["deviation"] is None  # one seed says nothing of others
    assert record["rows"][2]["ours"] is None


def test_printed_figures_stand_in_their_own_columns_alone() -> None:
    table, protocols = tables_of(record_of(TABLE, outcomes(), resamples=50))
    columns = {name: [row[place] for row in table.rows] for place, name in enumerate(table.columns)}
    assert columns[f"{PRINTED}: rank-1"] == ["93.37", "93.21", "92.50", "92.83"]
    run = [cell for name, cells in columns.items() if "RUN HERE" in name for cell in cells]
    assert len(run) == 4 * 4
    assert not {text for cell in TABLE.cells for text in cell.printed.values()} & {
        cell.split()[0] for cell in run
    }
    assert columns[f"{RELEASED}: mAP"][0] == "-"
    assert "[" in columns[f"{RELEASED}: mAP"][1]
    assert columns[f"{OURS}: mAP"][2] == "not run yet"
    assert columns["runs"] == ["2 of 2", "1 of 2", "0 of 2", "0 of 2"]
    assert columns["notes"] == ["", "[1]", "", ""]
    assert "BCE + centre" in table.note
    assert len(protocols.rows) == 3 * 3


def test_figures_of_actions_and_of_reranking() -> None:
    table = published_table("re-id-ar/4")
    side = record_of(table, [Outcome(table.cells[0], "usual", {"s": {1: acting(1.0)}}, {}, 1, 0)])["rows"][0][
        "ours"
    ]
    known = acting(1.0).actions
    assert known is not None
    assert side["figures"]["action precision"]["mean"] == known["macro"]["precision"] > 0
    assert side["figures"]["action f1"] == {"mean": known["macro"]["f1"], "deviation": None}

    def reranked(better: Results) -> Results:
        plain = made_up(1.2)
        again = tuple({**test, "reranked": True} for test in better.retrieval)
        arrays = {f"{int(k[0]) + 3}{k[1:]}": v for k, v in better.per_query.items()}
        return replace(plain, retrieval=plain.retrieval + again, per_query=plain.per_query | arrays)

    table = published_table("vprft/1")
    runs = {"s": {1: reranked(made_up(0.8))}}
    side = record_of(table, [Outcome(table.cells[-1], "usual", runs, {}, 1, 0)], resamples=20)["rows"][0][
        "ours"
    ]
    for figure in ("mAP", "rank-5"):
        assert side["figures"][f"{figure} re-ranked"]["mean"] == pytest.approx(
            made_up(0.8).retrieval[0]["metrics"][figure]
        )
        assert side["figures"][figure]["mean"] == pytest.approx(made_up(1.2).retrieval[0]["metrics"][figure])


def test_splits_are_one_test(tmp_path: Path) -> None:
    table = published_table("s2dn/1")
    cell = next(cell for cell in table.cells if cell.row == "PRID2011")
    splits = {f"split-{n}": {1: made_up(1.0 + n / 5, dataset="prid2011", split=n)} for n in range(3)}
    side = record_of(table, [Outcome(cell, "", splits, {}, 3, 0)], resamples=20)["rows"][0]["ours"]
    values = [seeds[1].retrieval[0]["metrics"]["rank-1"] for seeds in splits.values()]
    assert len(set(values)) > 1
    assert side["figures"]["rank-1"]["mean"] == pytest.approx(statistics.fmean(values))


def test_three_files_say_the_same_and_warn(tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    record = record_of(TABLE, outcomes(), title="SynthPed laptop", warning="No <reproduction>.", resamples=20)
    files = write_reproduced(record, tmp_path / "tables" / "six")
    assert [path.name for path in files] == ["six.json", "six.md", "six.html"]
    assert json.loads(files[0].read_text()) == record
    text, page = files[1].read_text(), files[2].read_text()
    assert text == markdown(record)
    mean = f"{100 * record['rows'][0]['ours']['figures']['mAP']['mean']:.2f} ["
    for content in (text, page):
        assert mean in content
        assert "93.37" in content
    assert "> **No <reproduction>.**" in text
    assert "No &lt;reproduction&gt;." in page
    assert "| lambda 0.8 | 93.37 " in " ".join(text.split())
