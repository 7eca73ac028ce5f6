"""A run's folder as a report: its figures, its pictures, and whose pictures they are."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reidar_plugin.errors import InputError, MissingFileError
from reidar_plugin.report.page.run_folder import read_run
from reidar_plugin.report.results import Results, write_results
from tests.report.made_up import made_up


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_results(made_up(people=6), tmp_path)
    folder = tmp_path / "visrank_mars"
    folder.mkdir()
    for name in (
        "query00002_person3_ranked",
        "query00002_person3_attention",
        "query00004_person1_ranked",
        "embedding",
    ):
        Image.new("RGB", (40, 20), "white").save(folder / f"{name}.png")
    Image.new("RGB", (40, 20), "white").save(tmp_path / "training.png")
    return tmp_path


def test_figures_are_those_of_the_results(run: Path) -> None:
    report, results = read_run(run), made_up(people=6)
    assert [table.title for table in report.tables] == ["Retrieval", "Actions"]
    row = dict(zip(report.tables[0].columns, report.tables[0].rows[0], strict=True))
    assert row["protocol"] == "MARS usual"
    assert row["mAP"].startswith(f"{100 * results.retrieval[0]['metrics']['mAP']:.2f} [")
    usual = [query for query in report.queries if query.protocol == "MARS usual"]
    assert len(report.queries) == 18
    assert np.mean([query.figures["mAP"] for query in usual]) == pytest.approx(
        results.retrieval[0]["metrics"]["mAP"]
    )
    assert [query.number for query in usual] == list(range(6))


def test_curves_meet_the_ranks(run: Path) -> None:
    metrics = made_up(people=6).retrieval[0]["metrics"]
    curve = read_run(run).curves[0]
    assert 0 < metrics["rank-5"] < 1
    for rank in (1, 5):
        share = max(y for x, y in zip(curve.x, curve.y, strict=True) if x <= rank)
        assert share == pytest.approx(metrics[f"rank-{rank}"])
    assert (curve.x[0], curve.y[-1]) == (1.0, 1.0)


def test_pictures_find_their_queries(run: Path) -> None:
    report = read_run(run)
    assert [each.title for each in report.drawings] == [
        "Losses and learning rate over the epochs",
        "mars: people of the gallery in the plane",
    ]
    drawn = {
        (one.protocol, one.number): [report.answers[at].title for at in one.drawings]
        for one in report.queries
    }
    titles = [
        "Query 2, person 3: nearest tracklets of the gallery",
        "Query 2, person 3: weights of the frames",
    ]
    assert drawn["MARS usual", 2] == drawn["MARS mixing", 2] == titles
    assert (
        drawn["MARS usual", 4] == []
    )  # the picture is of a person that the results do not know at that place


def test_older_results_tell_no_ranks(tmp_path: Path) -> None:
    results = made_up()
    known = {
        name: values
        for name, values in results.per_query.items()
        if "query" not in name and "first" not in name
    }
    write_results(Results(**{**vars(results), "per_query": known}), tmp_path)
    report = read_run(tmp_path)
    assert report.curves == []
    assert {query.number for query in report.queries} == {None}


def test_room_for_pictures(run: Path) -> None:
    size = len(read_run(run).answers[0].image)
    report = read_run(run, most_bytes=3 * size)
    assert len(report.drawings) + len(report.answers) == 3
    assert report.left_out == 2


def test_what_is_missing_or_broken(run: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no results at"):
        read_run(tmp_path / "visrank_mars")
    drawn = (run / "training.png").read_bytes()
    for content in (
        b"no picture",
        drawn[:40],
        drawn[:-30],
        drawn[:29] + b"xxxx" + drawn[33:],
        b"BM" + bytes(9),
    ):
        (run / "training.png").write_bytes(content)
        with pytest.raises(InputError, match=r"training\.png: expected a picture of the test"):
            read_run(run)
    (run / "training.png").write_bytes(drawn[:16] + struct.pack(">II", 20_000, 20_000) + drawn[24:])
    with pytest.raises(
        InputError, match=r"training\.png: .* \(one that says 20,000 x 20,000 pixels, where at most"
    ):
        read_run(run)
