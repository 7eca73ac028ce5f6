"""Jobs handed to submitit's own stand-in for a cluster, around runs that only pretend."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch import cluster
from reidar_plugin.launch.cluster import Cluster, Submitted, job_settings
from reidar_plugin.launch.subprocesses import RunError
from tests.launch.test_job import RUN
from tests.versions import need

MINUTES = {"timeout_min": 2}


def test_settings_are_what_submitit_takes() -> None:
    words = [
        "timeout_min=600",
        "gpus_per_node=1",
        "slurm_partition=gpu",
        "slurm_constraint=a=b",
        "mem_gb=1.5",
    ]
    assert job_settings(words) == {
        "timeout_min": 600,
        "gpus_per_node": 1,
        "slurm_partition": "gpu",
        "slurm_constraint": "a=b",
        "mem_gb": 1.5,
    }
    for words, message in (
        (["gpu"], "expected NAME=VALUE for a job, got 'gpu'"),
        (["timeout_min="], "expected NAME=VALUE"),
        (["timeout_min=["], r"expected a value as in YAML for timeout_min, got '\['"),
        (["gpus_per_node=1"], "a job needs its time: say timeout_min=MINUTES"),
    ):
        with pytest.raises(ConfigError, match=message):
            job_settings(words)


def test_without_submitit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(ConfigError, match=r"jobs need submitit, which is not installed"):
        Cluster(tmp_path, MINUTES)


@need("submitit")
def test_what_cannot_be_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no jobs can be handed in: .*minutes"):
        Cluster(tmp_path, {"minutes": 2}, "local")
    with pytest.raises(ConfigError, match=r"no jobs can be handed in: .*timeout_min"):
        Cluster(tmp_path, {"timeout_min": "long"}, "local")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match=r"no jobs can be handed in: .*srun"):
        Cluster(tmp_path, MINUTES)


@need("submitit")
def test_a_run_ends_well_or_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cluster, "command", lambda words: [sys.executable, "-c", *words])
    launch = Cluster(tmp_path / "jobs", MINUTES, "local")
    failing = "import sys; sys.stderr.write('error: no such data\\n'); sys.exit(2)"
    good, bad = launch(["print(1)"], 1), launch([failing], 1)
    good.wait()
    bad.wait()
    assert good.ended()
    good.check()
    with pytest.raises(RunError, match=r"status 2: .*error: no such data"):
        bad.check()


@need("submitit")
def test_a_preempted_run_goes_on_and_a_killed_job_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cluster, "command", lambda words: [sys.executable, "-c", RUN, *words])
    launch = Cluster(tmp_path / "jobs", MINUTES, "local")
    preempted, killed = (launch([str(tmp_path / name)], 1) for name in ("preempted", "killed"))
    _until(lambda: all((tmp_path / f"{name}.ready").exists() for name in ("preempted", "killed")))
    assert not preempted.ended()
    (task,) = _children(preempted)
    os.kill(task, signal.SIGUSR2)
    preempted.wait()
    preempted.check()  # its second time had nothing left to do
    assert (tmp_path / "preempted").read_text() == "SIGTERM"

    (task,) = _children(killed)
    os.kill(task, signal.SIGKILL)
    killed.wait()
    killed._job._results_timeout_s = 0  # seconds for a slow file system
    with pytest.raises(RunError, match=r"job \d+ ended without an answer \(\w+\): .*jobs"):
        killed.check()


@need("submitit")
def test_a_cluster_that_takes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    launch = Cluster(tmp_path / "jobs", MINUTES, "local")
    monkeypatch.setattr(launch._executor, "submit", lambda job: {}["sbatch: error: no such partition"])
    with pytest.raises(RunError, match=r"the cluster took no job: .*no such partition"):
        launch(["print(1)"], 1)


def test_stopping_cancels() -> None:
    asked: list[Any] = []

    class Cancelled:
        def cancel(self, check: bool) -> None:
            asked.append(check)

    Submitted(Cancelled(), []).stop(signal.SIGTERM)
    assert asked == [False]


def _children(submitted: Submitted) -> list[int]:
    pid = submitted._job.job_id
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _until(there: Any) -> None:
    until = time.monotonic() + 60
    while not there():
        assert time.monotonic() < until
        time.sleep(0.05)
