"""The runs of the tables."""

from pathlib import Path

import pytest

from reidar_plugin.launch.grounds import RealData, Streets
from reidar_plugin.launch.runs import Run
from reidar_plugin.launch.table_plan import PlannedCell, TablePlan, data_sets, with_predecessors
from reidar_plugin.launch.validation import check_config
from reidar_plugin.report.published import published_table, published_tables
from tests.standin import REPO

CONFIGS = REPO / "configs"


def planned(name: str, seeds: tuple[int, ...] = (1,), splits: tuple[int, ...] = (0,)) -> list[PlannedCell]:
    return TablePlan(published_table(name), RealData(Path("d"), splits), seeds, Path("f"), CONFIGS).cells


def on_street(name: str, small: bool = True) -> list[PlannedCell]:
    table = published_table(name)
    ground = Streets(Path("s"), "laptop", [0], data_sets(table, CONFIGS), CONFIGS / "street.yml", small)
    return TablePlan(table, ground, (1,), Path("f"), CONFIGS).cells


def runs_of(cells: list[PlannedCell], row: str, part: str = "") -> list[Run]:
    (found,) = (each.ours for each in cells if (each.cell.row, each.cell.part) == (row, part))
    return found


def test_a_transfer_starts_from_the_run_of_another_cell() -> None:
    cells = planned("s2dn/5", seeds=(1, 2), splits=(0, 1))
    one, two, three, four = runs_of(cells, "pre-trained on MARS + iLIDS-VID", "PRID2011")
    assert [(run.seed, run.data) for run in (one, two, three, four)] == [
        (seed, f"prid2011-split-{split}") for seed in (1, 2) for split in (0, 1)
    ]
    assert two.after is not None
    assert two.after == runs_of(cells, "pre-trained MARS", "iLIDS-VID")[1]  # the chain keeps to its split
    assert two.after.after == runs_of(cells, "pre-trained ImageNet", "MARS")[0]
    assert two.carries
    cfg = two.cfg()
    assert Path(cfg.model.load_weights).parent == two.folder == Path(cfg.data.save_dir)
    assert (cfg.model.pretrained, cfg.data.split_id, cfg.train.seed) == (False, 1, 1)
    every = with_predecessors(cells)
    assert len(set(every)) == len(every)
    assert all(run.after is None or every.index(run.after) < every.index(run) for run in every)


def test_a_cross_test_tests_the_best_on_the_other_data() -> None:
    (run,) = runs_of(planned("asanet/3"), "Ours", "Duke -> MARS")
    assert run.after is not None
    cfg = run.cfg()
    assert (cfg.data.sources, cfg.data.targets) == (["dukemtmcvidreid_actions"], ["mars"])
    assert (cfg.test.evaluate, Path(cfg.model.load_weights)) == (
        True,
        run.after.folder / "model/model-best.pth.tar",
    )
    assert not run.carries
    (street,) = runs_of(on_street("asanet/3"), "Ours", "Duke -> MARS")
    assert street.after is not None
    assert (street.cfg().data.root, street.after.cfg().data.root) == ("s/laptop-0", "s/laptop-100")
    assert street.cfg().data.targets == ["synthped"]


def test_re_ranked_figures_need_a_test_of_their_own() -> None:
    (run,) = runs_of(planned("vprft/1"), "(Proposed) B-BOT + Attention and CL loss*")
    cfg = run.cfg()
    assert (cfg.test.evaluate, cfg.test.rerank) == (True, True)
    assert run.after is not None
    assert (
        Path(cfg.model.load_weights) == run.after.folder / "model/model.pth.tar-800"
    )  # after the last epoch


def test_protocols_are_those_of_the_data() -> None:
    protocols = {each.cell.name: each.protocol for each in planned("re-id-ar/3")}
    assert protocols["Ours: without actions, MARS"] == "usual"
    assert protocols["Ours: with actions, MARS"] == "no-distractors"
    assert protocols["Ours: with actions, LPW"] == ""
    assert {each.protocol for each in on_street("re-id-ar/5")} == {"usual"}


def test_the_systems_are_the_bench_on_a_street() -> None:
    (run,) = runs_of(on_street("systems", small=False), "TCLNet")
    cfg = run.cfg()
    assert (cfg.model.name, cfg.reidar.loss.triplet.margin) == ("reidar_tclnet_resnet18", 0.4)
    assert runs_of(planned("systems"), "TCLNet")[0].cfg().model.name == "reidar_tclnet_resnet50"
    assert runs_of(planned("systems"), "VTN at a lower rate") == []


@pytest.mark.parametrize(
    "name", ["re-id-ar/3", "s2dn/1", "s2dn/4", "vprft/1", "asanet/1", "asanet/6", "systems"]
)
def test_every_small_run_is_accepted_and_keeps_what_its_row_is(name: str) -> None:
    """These tables have every kind of config there is."""
    if name == "systems":
        pytest.importorskip("timm")
    runs = with_predecessors(on_street(name))
    assert len({run.folder for run in runs}) == len(runs)
    configs = {}
    for run in runs:
        if run.after is None:
            cfg = configs[run.variant] = run.cfg()
            notes = check_config(cfg)
            assert [
                note for note in notes if "test.start_eval" not in note
            ] == []  # small runs are tested once
            assert (cfg.data.sources, cfg.data.height, cfg.model.pretrained) == (["synthped"], 64, False)
    texts = {str(cfg).replace(cfg.data.save_dir, "") for cfg in configs.values()}
    assert len(texts) == len(configs)


def test_all_tables_can_be_planned() -> None:
    assert len(published_tables()) == 22
    for name in ("s2dn/2", "s2dn/3", "vprft/2", "re-id-ar/supplementary-2"):
        assert with_predecessors(planned(name))
