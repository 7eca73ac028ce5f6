from pathlib import Path

import pytest
import torch

from reidar_plugin.models.joint import build_joint
from tools import list_models
from tools.benchmarks import model as benchmark

TINY = ["--height", "64", "--width", "32", "--clips", "2", "--length", "1", "--steps", "1"]


def test_lists_what_a_model_costs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "table.md"
    assert list_models.main([*TINY, "--names", "osnet_x0_25", "--format", "github", "--out", str(out)]) == 0
    (row,) = [line for line in out.read_text().splitlines() if "reidar_osnet_x0_25" in line]
    name, parameters, backbone, gflops, rate, verdict = [cell.strip() for cell in row.strip("|").split("|")]
    assert (name, backbone, verdict) == ("reidar_osnet_x0_25", "0.13", "works")
    assert float(parameters) == pytest.approx(0.13 + 128 * (256 * 8 + 8 * 512 + 625) / 1e6, abs=0.04)
    assert float(gflops) > 0
    assert float(rate) > 0
    assert out.read_text().strip() == capsys.readouterr().out.strip()


def test_tells_what_fails(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--height", "32", "--width", "16", "--clips", "2", "--length", "1"]
    assert list_models.main([*sizes, "--names", "inceptionv4"]) == 1
    assert "fails: inceptionv4 gives no feature maps for frames of 32 x 16" in capsys.readouterr().out


@pytest.mark.slow
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
