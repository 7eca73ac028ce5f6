"""Which runs a bench has."""

from pathlib import Path

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch.bench_plan import Variants, read_variants
from tests.launch.bench_rig import runs_of, variants

__all__ = ["variants"]


def test_reads_variants(variants: Variants, tmp_path: Path) -> None:
    assert variants.config == tmp_path / "base.yaml"
    assert variants.options["joint"] == ["reidar.loss.balance", "0.8"]
    assert variants.options["alone"][2:] == ["reidar.loss.terms", "['smoothed_cross_entropy']"]
    assert list(variants.only(["joint"]).options) == ["joint"]
    with pytest.raises(ConfigError, match=r"unknown variant 'joimt'; did you mean 'joint'\?"):
        variants.only(["joimt"])
    (tmp_path / "other.yml").write_text("config: base.yaml\n")
    with pytest.raises(ConfigError, match=r"other\.yml: expected config and variants"):
        read_variants(tmp_path / "other.yml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config: a.yaml\nvariants: {}", "expected a map of keys for each variant"),
        ("config: a.yaml\nvariants: {a: 3}", "expected a map of keys for each variant"),
        ("config: a.yaml\nvariants: {../../escaped: {}}", r"got the variant '\.\./\.\./escaped'"),
    ],
)
def test_what_is_no_set_of_variants(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "other.yml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_variants(tmp_path / "other.yml")


def test_a_config_that_is_no_name_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text("config: 3\nvariants: {a: {}}")
    with pytest.raises(ConfigError, match="3"):
        runs_of(read_variants(tmp_path / "other.yml"), tmp_path)


def test_plans_seed_by_seed_and_checks_keys(variants: Variants, tmp_path: Path) -> None:
    runs = runs_of(variants, tmp_path)
    assert [(run.seed, run.variant) for run in runs] == [
        (1, "alone"),
        (1, "joint"),
        (2, "alone"),
        (2, "joint"),
    ]
    cfg = runs[3].cfg()
    assert (cfg.train.seed, cfg.reidar.loss.balance) == (2, 0.8)
    assert Path(cfg.data.save_dir) == tmp_path / "street" / "joint" / "seed-2"
    variants.options["joint"][0] = "reidar.loss.balamce"
    with pytest.raises(ConfigError, match=r"did you mean .reidar\.loss\.balance."):
        runs_of(variants, tmp_path)


def test_what_cannot_run_is_told_in_a_line(variants: Variants, tmp_path: Path) -> None:
    variants.options["joint"][:] = ["model.name", "reidar_osnet_x0_26"]
    with pytest.raises(ConfigError, match=r"unknown model\.name .reidar_osnet_x0_26.; did you mean"):
        runs_of(variants, tmp_path)
    variants.options["joint"][:] = ["data.sources", "['synthpet']"]
    with pytest.raises(ConfigError, match=r"unknown data\.sources .synthpet.; did you mean .synthped."):
        runs_of(variants, tmp_path)


def test_people_held_out_are_no_ground_to_compare_on(variants: Variants, tmp_path: Path) -> None:
    variants.options["joint"][:] = ["reidar.train.held_out", "0.2"]
    with pytest.raises(
        ConfigError, match=r"variant joint: reidar\.train\.held_out 0\.2 holds out other people"
    ):
        runs_of(variants, tmp_path)


def test_a_file_of_variants_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a file of variants, got FileNotFoundError"):
        read_variants(tmp_path / "none.yml")
