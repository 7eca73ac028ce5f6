"""The steps of chains; tests/tools/ has whole transfers and cross tests."""

from pathlib import Path

import pytest

from reidar_plugin.launch import chains, subprocesses


def test_what_goes_over_is_what_the_next_run_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[Path, Path]] = []
    monkeypatch.setattr(subprocesses, "best_checkpoint", lambda folder: Path(folder, "best"))
    monkeypatch.setattr(subprocesses, "write_start", lambda *paths: written.append(paths) or {"base": 3})
    assert chains.carry_over(tmp_path / "a", tmp_path / "b") == {"base": 3}
    keys = chains.start_keys(tmp_path / "b")
    assert written == [(tmp_path / "a/best", keys["model__load_weights"])]
    assert keys["model__pretrained"] == "False"


def test_targets_need_no_labels() -> None:
    assert chains.plain_targets(["mars_actions", "synthped", "prid2011"]) == ["mars", "synthped", "prid2011"]
