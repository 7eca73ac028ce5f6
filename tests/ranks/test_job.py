"""Which of the processes of a job this one is."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.ranks import job
from reidar_plugin.ranks.job import ALONE, Job, check_alone, current, joined, report_error
from tests import fakes
from tests.standin import JOINT, REPO, write_config


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


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ranks are found in /proc")
def test_a_signal_at_one_rank_of_torchrun_saves_and_ends_all(tmp_path: Path) -> None:
    fakes.write_mars(tmp_path, train_people=4, test_people=2, frames=2)
    config = write_config(tmp_path)
    flags = ["--config-file", str(config), *JOINT, "train.max_epoch", "1000", "use_gpu", "False"]
    command = [*("-m", "torch.distributed.run", "--nproc-per-node", "2", "tools/main.py"), *flags]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPO)}
    said = tmp_path / "said"
    with open(said, "w") as out:
        torchrun = subprocess.Popen(
            [sys.executable, *command],
            cwd=REPO,
            env=environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + 300
        while (
            "epoch: [2/1000]" not in said.read_text() and torchrun.poll() is None and time.monotonic() < until
        ):
            time.sleep(0.1)
        second = max(map(int, Path(f"/proc/{torchrun.pid}/task/{torchrun.pid}/children").read_text().split()))
        os.kill(second, signal.SIGTERM)
        assert torchrun.wait(timeout=120) == 1
    finally:
        if torchrun.poll() is None:
            os.killpg(torchrun.pid, signal.SIGKILL)
    told = said.read_text()
    assert told.count("4 clips a step by 2 ranks over gloo") == 1, told[-3000:]
    assert told.count("stopped after ") == 1, told[-3000:]
    assert "exitcode  : 143" in told
    saved = told.partition(", saved as ")[2].partition(";")[0]
    assert Path(saved).is_file()
