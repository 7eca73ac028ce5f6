"""Which of the processes of a job this one is."""

import os
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.ranks import job
from reidar_plugin.ranks.job import ALONE, Job, check_alone, current, joined, report_error


def test_parts_are_equal_neighbouring_and_all() -> None:
    parts = [Job(rank, 3).part(6) for rank in range(3)]
    assert [number for part in parts for number in range(6)[part]] == list(range(6))
    assert ALONE.part(5) == slice(0, 5)


@pytest.mark.parametrize("count", [0, 5, 2])
def test_refuses_parts_that_are_not_equal(count: int) -> None:
    with pytest.raises(
        ConfigError, match=rf"a batch of {count} clips .* shared by 3 ranks: .* multiple of 3"
    ):
        Job(1, 3).part(count)


@pytest.mark.parametrize("told", [{}, {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}])
def test_a_process_alone_joins_nothing(told: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with joined() as place:
        assert place is current() is ALONE
        assert place.first


def test_what_starts_runs_of_its_own_refuses_to_be_a_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "1")
    check_alone()
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match=r"rank 1 of 2 from torchrun: .* start it without torchrun"):
        check_alone()


def test_ranks_know_their_place_and_one_prints(two_ranks: list[dict[str, Any]]) -> None:
    exchanged = [each["exchanged"] for each in two_ranks]
    assert [each["place"] for each in exchanged] == ["rank 0 of 2", "rank 1 of 2"]
    assert [each["prints to"] == os.devnull for each in exchanged] == [False, True]


@pytest.mark.parametrize("ranks", [1, 2])
def test_torchrun_is_told_why_a_rank_failed(
    ranks: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(tmp_path / "error.json"))
    monkeypatch.setattr(job, "_current", Job(0, ranks))
    report_error(ConfigError("the reason"))
    assert (tmp_path / "error.json").exists() == (ranks > 1)
    if ranks > 1:
        assert "the reason" in (tmp_path / "error.json").read_text(encoding="utf-8")
