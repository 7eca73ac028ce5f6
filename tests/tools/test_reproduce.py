"""tools/reproduce.py, as far as the command line goes, and one table from an empty folder."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import cluster, runner, subprocesses
from reidar_plugin.launch import reproduce as reproduces
from reidar_plugin.launch.grounds import RealData, Streets
from reidar_plugin.report.results import read_results

TOOL = runpy.run_path(str(Path(__file__).resolve().parents[2] / "tools/reproduce.py"))


class InThisProcess:
    """A run that is over when it has begun."""

    def __init__(self, words: list[str], threads: int) -> None:
        runner.main(words)

    def ended(self) -> bool:
        return True

    def check(self) -> None:
        return None


def test_hands_on_what_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(reproduces, "reproduce", lambda *given, **named: asked.append((given, named)))
    first = "s2dn/5 train.max_epoch 2 --root d --splits 1 2 --seeds 4 --folder f --dry-run"
    second = "s2dn/5 --data synthped --preset tiny --streets 7 --small --at-once 3"
    for line in (first, second):
        TOOL["main"](line.split())
    ((plan,), named), ((on_street,), more) = asked
    assert (plan.table.name, plan.seeds, plan.folder) == ("s2dn/5", [4], Path("f"))
    assert plan.options == ("train.max_epoch", "2")
    assert isinstance(plan.ground, RealData)
    assert plan.ground.spot("prid2011", 2).options == ("data.root", "d", "data.split_id", "2")
    assert named == {"at_once": 0, "dry": True, "launch": None}
    assert isinstance(on_street.ground, Streets)
    assert on_street.ground.spot("ilidsvid", 7).name == "tiny-207-small"
    assert (on_street.seeds, more["at_once"]) == ([1, 2, 3], 3)


def test_hands_runs_in_as_jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(cluster, "Cluster", lambda *given: given)
    monkeypatch.setattr(reproduces, "reproduce", lambda plan, **named: asked.append(named["launch"]))
    TOOL["main"](f"s2dn/5 --folder {tmp_path} --slurm timeout_min=60 slurm_partition=gpu".split())
    TOOL["main"](
        f"s2dn/5 --folder {tmp_path} --slurm timeout_min=60 --dry-run".split()
    )  # also without a cluster
    assert asked == [(tmp_path / "jobs", {"timeout_min": 60, "slurm_partition": "gpu"}), None]
    with pytest.raises(ConfigError, match="a job needs its time"):
        TOOL["main"](["s2dn/5", "--slurm", "gpus_per_node=1"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "expected the name of a table, got none"),
        ("re-id-ar/6 train.max_epoch", "pairs KEY VALUE, got train.max_epoch"),
        ("re-id-ar/6 --small", "--small needs --data synthped"),
        ("re-id-ar/6 train.seed 9", "train.seed is another for each run: expected --seeds in its place"),
        ("re-id-ar/6 train.max_epoch 3 data.root d", "data.root is .* expected --root in its place"),
        ("re-id-ar/6 --at-once -3", "--at-once: expected a number of runs, or 0 for one a core, got -3"),
        ("re-id-ar/6 --seeds 1 -1", "--seeds: expected numbers from 0 on, got -1"),
        ("re-id-ar/66", "unknown table 're-id-ar/66'; did you mean"),
    ],
)
def test_slips_are_told(line: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TOOL["main"](line.split())


def test_lists_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    TOOL["main"](["--list"])
    assert "re-id-ar/6                  The balance lambda, MARS" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("no_chart")
def test_a_table_from_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transfer between two streets, and what it starts from; the runs stay in this process."""
    pytest.importorskip("jinja2")
    monkeypatch.setattr(subprocesses, "Quiet", InThisProcess)
    monkeypatch.setattr(reproduces, "cost_lines", lambda left, at_once: [])
    words = (
        "vprft/2 train.batch_size 8 sampler.num_instances 2 reidar.data.test_max_clips 1 train.max_epoch 1"
    )
    TOOL["main"](f"{words} --data synthped --preset tiny --small --seeds 1 --folder {tmp_path}".split())
    record = json.loads((tmp_path / "tables/vprft-2-synthped-tiny-0-small.json").read_text())
    alone, after = (row["ours"]["figures"]["rank-1"]["mean"] for row in record["rows"][1:])
    assert (record["rows"][1]["printed"]["rank-1"], record["rows"][0]["ours"]) == ("93.3", None)
    chain = tmp_path / "tiny-0-small/vprft-mars--then--vprft-prid2011/seed-1"
    assert (chain / "start.pth.tar").is_file()
    assert (tmp_path / "streets/tiny-100/synthped").is_dir()  # what MARS is for PRID2011
    assert after == read_results(chain).retrieval[0]["metrics"]["rank-1"]
    assert 0 <= alone <= 1
