"""A table from an empty folder to its pages, with runs that only pretend."""

from pathlib import Path

import pytest

from reidar_plugin.errors import MissingFileError
from reidar_plugin.launch import reproduce as reproduces
from reidar_plugin.launch import subprocesses
from reidar_plugin.launch.grounds import RealData, Streets
from reidar_plugin.launch.reproduce import commands, reproduce, work_lines
from reidar_plugin.launch.runs import finished
from reidar_plugin.launch.table_plan import TablePlan
from reidar_plugin.report.published import published_table
from tests.launch.bench_rig import Pretended, pretended, write
from tests.standin import REPO

__all__ = ["pretended"]

CONFIGS = REPO / "configs"


class Whole(Pretended):
    """Trains all of its epochs."""

    def ended(self) -> bool:
        if self.stopped is None and self.name != self.failing:
            write(self.folder, self.words, epochs=4)
        return True


def test_a_table_that_is_stopped_goes_on_and_ends_the_same(
    tmp_path: Path,
    pretended: type[Pretended],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("jinja2")
    monkeypatch.setattr(subprocesses, "Quiet", Whole)
    monkeypatch.setattr(Streets, "draw", lambda self, data: None)
    monkeypatch.setattr(
        reproduces, "cost_lines", lambda left, at_once: [f"{len(left)} left, {at_once} at once"]
    )
    ground = Streets(tmp_path / "s", "laptop", [0], ["mars"], CONFIGS / "street.yml", small=True)

    def run(folder: str, seed: int = 1, dry: bool = False) -> dict:
        plan = TablePlan(published_table("re-id-ar/6"), ground, [seed], tmp_path / folder, CONFIGS)
        return reproduce(plan, at_once=2, dry=dry)

    whole = run("whole")
    assert len(pretended.log) == 5
    written = {path: path.read_bytes() for path in (tmp_path / "whole/tables").iterdir()}
    assert run("whole", seed=7, dry=True) != whole
    assert {path: path.read_bytes() for path in (tmp_path / "whole/tables").iterdir()} == written != {}
    Whole.failing = "laptop-0-small/re-id-ar-table6-lambda-0.4/seed-1"
    with pytest.raises(subprocesses.RunError):
        run("stopped")
    page = (tmp_path / "stopped/tables/re-id-ar-6-synthped-laptop-0-small.md").read_text()
    assert "not run yet" in page
    Whole.failing = ""
    pretended.log.clear()
    assert run("stopped") == whole
    assert 0 < len(pretended.log) < 5
    said = capsys.readouterr().out
    assert (
        "re-id-ar/6: 5 runs, 0 of them done. Data:\n  laptop-0-small in the place of mars\n5 left, 2 at once"
        in said
    )
    assert (
        "not run yet" not in (tmp_path / "stopped/tables/re-id-ar-6-synthped-laptop-0-small.html").read_text()
    )
    Whole.failing = ""


def test_real_data_is_counted_not_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("jinja2")
    table, ground = published_table("re-id-ar/6"), RealData(tmp_path / "nowhere")
    with pytest.raises(MissingFileError, match="nowhere: expected the data sets in it"):
        reproduce(TablePlan(table, ground, [1, 2], tmp_path, CONFIGS))
    said = capsys.readouterr().out
    steps, released = 625 // 16 * 120, 625 // 16 * 200
    assert f"table6-lambda-0.8: {steps:,} steps of 64 clips of 4 frames, 224 x 112" in said
    total = 2 * (4 * steps + released)
    assert (
        f"together {total:,} steps, {total * 64 * 4 / 1e6:.1f} million frames, and 10 tests. Hours: not measured"
        in said
    )
    runs = TablePlan(published_table("vprft/1"), ground, [1], tmp_path, CONFIGS).runs
    assert any(line.endswith("re-ranked: a test") for line in work_lines(runs, ground))


def test_a_street_that_is_not_drawn_yet_is_counted_by_its_preset(tmp_path: Path) -> None:
    ground = Streets(tmp_path, "laptop", [0], ["mars"], CONFIGS / "street.yml", small=True)
    plan = TablePlan(published_table("re-id-ar/6"), ground, [1], tmp_path, CONFIGS)
    cfg = plan.runs[0].cfg()
    people_a_step = cfg.train.batch_size // cfg.sampler.num_instances
    first = next(work_lines(plan.runs, ground))
    assert f": {160 // people_a_step * cfg.train.max_epoch} steps of" in first


def test_commands_for_a_scheduler(tmp_path: Path) -> None:
    plan = TablePlan(published_table("s2dn/5"), RealData(tmp_path), [1], tmp_path, CONFIGS)
    runs, lines = plan.runs, list(commands(plan))
    assert len(lines) == len(runs) > 3
    for run, line in zip(runs, lines, strict=True):
        assert f"data.save_dir {run.folder}" in line
        assert ("carry_over" in line) == run.carries
        if run.after:
            assert line.endswith(f"# after {run.after.folder}")
    write(runs[0].folder, runs[0].words, epochs=120)
    assert finished(runs[0]) is not None
    assert list(commands(plan)) == lines[1:]
