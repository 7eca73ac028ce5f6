from pathlib import Path

import pytest
import torch

from reidar_plugin.models.joint import build_joint
from reidar_plugin.models.registry import builders, why_not
from tools import list_models
from tools.benchmarks import model as benchmark
from tools.measures.model_costs import OF_TIMM

TOOLS = Path(__file__).resolve().parents[2] / "tools"
TINY = ["--height", "64", "--width", "32", "--clips", "2", "--length", "1", "--steps", "1"]


@pytest.fixture(autouse=True)
def _beside_the_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))  # where a script looks first


def test_lists_what_a_model_costs(capsys: pytest.CaptureFixture[str]) -> None:
    assert list_models.main([*TINY, "--names", "osnet_x0_25", "--format", "github"]) == 0
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "reidar_osnet_x0_25" in line]
    name, parameters, backbone, gflops, rate, verdict = [cell.strip() for cell in row.strip("|").split("|")]
    assert (name, backbone, verdict) == ("reidar_osnet_x0_25", "0.13", "works")
    assert float(parameters) == pytest.approx(0.13 + 128 * (256 * 8 + 8 * 512 + 625) / 1e6, abs=0.04)
    assert float(gflops) > 0
    assert float(rate) > 0


def test_writes_the_table_of_a_page_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{list_models.BEGIN}\nold\n{list_models.END}\n\nafter\n")
    words = [*TINY, "--names", "osnet_x0_25", "--into", str(page)]
    assert list_models.main(words) == 0
    before, rest = page.read_text().split(list_models.BEGIN)
    table, after = rest.split(list_models.END)
    assert (before, after) == ("before\n\n", "\n\nafter\n")
    assert table.strip().startswith(capsys.readouterr().out.strip())
    assert "old" not in table
    assert "--names osnet_x0_25 --into" in table  # how it was made
    assert "frames of 64 x 32" in table


def test_sizes_of_a_network_of_timm(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("timm")
    assert list_models.main([*TINY, "--names", "timm_mobilenetv3", "--sizes", "--format", "github"]) == 0
    header, _, row = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in header.strip("|").split("|")] == list_models.SIZES
    name, parameters, backbone, maps, feature = [cell.strip() for cell in row.strip("|").split("|")]
    assert (name, maps, feature) == ("reidar_timm_mobilenetv3_small_050", "4 x 2", "288")
    heads = 256 * (288 * 4 * 2 + 1) + 3 * 256 + 1 + 288 + 625 * 288 + 8 * (288 * 512 + 3 * 512 + 512 + 1)
    assert float(parameters) - float(backbone) == pytest.approx(heads / 1e6, abs=0.011)


def test_the_page_shows_the_dozen_of_timm() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    assert [name for name in OF_TIMM if f"| reidar_timm_{name} " not in page] == []


@pytest.mark.parametrize("text", ["", list_models.BEGIN, list_models.END + list_models.BEGIN])
def test_a_page_without_a_place_is_told_of_first(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(SystemExit):
        list_models.main(["--into", str(page)])  # else this would measure all models
    assert f"{page}: expected {list_models.BEGIN} and, after it" in capsys.readouterr().err
    assert page.read_text() == text


def test_the_page_of_models_lists_every_name() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    table = page.split(list_models.BEGIN)[1].split(list_models.END)[0]
    rows = {
        cells[1].strip(): cells[-2].strip()
        for line in table.splitlines()
        if len(cells := line.split("|")) > 6
    }
    assert rows.keys() - {"name"} - {name for name in rows if set(name) == {"-"}} == {*builders(), *why_not()}
    assert [row for row in rows.values() if row.startswith("fails")] == []
    assert {name: rows[name] for name in why_not()} == why_not()


def test_tells_what_fails(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--height", "32", "--width", "16", "--clips", "2", "--length", "1"]
    assert list_models.main([*sizes, "--names", "inceptionv4"]) == 1
    assert "fails: inceptionv4 gives no feature maps for frames of 32 x 16" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("quick_weights")
def test_the_benchmark_refuses_sides_that_differ(capsys: pytest.CaptureFixture[str]) -> None:
    ours = build_joint("resnet50_ibn_a", 625, num_actions=8, frame_size=(32, 32), action_dropout=0.0)
    clips, targets = benchmark.batch(4, 1, 32, 32, torch.device("cpu"))
    plain = benchmark.PlainModel(ours)
    benchmark.check_equal(ours, plain, clips, targets)
    assert "the same loss" in capsys.readouterr().out
    plain.base.layer2[0].bn1.BN.weight.data *= 1.001
    with pytest.raises(AssertionError):
        benchmark.check_equal(ours, plain, clips, targets)


def test_asanet_is_listed_with_its_attributes(capsys: pytest.CaptureFixture[str]) -> None:
    assert list_models.main([*TINY, "--names", "asanet"]) == 0
    row = capsys.readouterr().out.splitlines()[-1].split()
    assert (row[0], row[-1]) == ("asanet", "works")  # so that every parameter had a gradient
