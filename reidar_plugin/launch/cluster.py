"""Runs as jobs of a SLURM cluster, handed in by submitit (the extra ``slurm``).

A job that is preempted, or whose time is over, lets its run save, goes back into the queue and goes on there. All machines
must see the same files: data, folders of runs, and this Python. submitit pickles what a job does into its own folder.
"""

import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reidar_plugin.errors import ConfigError, shown, summary
from reidar_plugin.io.plain_text import PlainTextError, parse_yaml
from reidar_plugin.launch.job import Job
from reidar_plugin.launch.subprocesses import RunError, check_status, command

__all__ = ["Cluster", "Submitted", "job_settings"]

#: How often a job may run out of its time: it goes on each time where it was.
TIMEOUTS = 100


def job_settings(words: Sequence[str]) -> dict[str, Any]:
    """What a job asks the cluster for, from ``NAME=VALUE`` words; names are those of submitit's ``update_parameters``.

    >>> job_settings(["timeout_min=600", "slurm_partition=gpu"])
    {'timeout_min': 600, 'slurm_partition': 'gpu'}
    """
    settings: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise ConfigError(f"expected NAME=VALUE for a job, got {word!r}")
        try:
            settings[name] = parse_yaml(value)
        except PlainTextError as error:
            raise ConfigError(
                f"expected a value as in YAML for {name}, got {shown(value)}: {error}"
            ) from error
    if "timeout_min" not in settings:
        raise ConfigError(
            "a job needs its time: say timeout_min=MINUTES; a run that takes longer goes on in the next"
        )
    return settings


class Submitted:
    """A run that is a job: what :class:`~reidar_plugin.launch.subprocesses.Quiet` is on this machine."""

    def __init__(self, job: Any, words: Sequence[str]) -> None:
        self._job, self._words = job, words

    def ended(self) -> bool:
        """Whether the job has ended, for good."""
        return bool(self._job.done())

    def check(self) -> None:
        """Raise where it did not end well.

        Raises:
            RunError: the run failed, or its job did; the message says which, and where its log is.
            SystemExit: somebody stopped the run there, with 130.
        """
        try:
            status, last = self._job.result()
        except Exception as error:  # submitit has several, down to a pickle that is not there
            raise RunError(
                f"job {self._job.job_id} ended without an answer ({self._job.state}): {self._job.paths.stderr}"
            ) from error
        check_status(status, self._words, last)

    def stop(self, sign: signal.Signals) -> None:
        """Cancel it: the cluster tells the run to end, which then saves, as far as the cluster's grace reaches."""
        self._job.cancel(check=False)

    def wait(self) -> None:
        """Wait until it has ended."""
        while not self._job.done(force_check=True):
            time.sleep(0.5)


class Cluster:
    """Starts runs as jobs.

    Args:
        folder: where scripts, logs and pickles of the jobs go; one that all machines see.
        settings: what each job asks for, see :func:`job_settings`.
        kind: ``slurm``, or submitit's ``local`` to try it without a cluster.

    Raises:
        ConfigError: no submitit, no SLURM, or a setting that submitit does not know.
    """

    def __init__(self, folder: str | Path, settings: Mapping[str, Any], kind: str = "slurm") -> None:
        try:
            import submitit
        except ImportError as error:
            raise ConfigError(
                "jobs need submitit, which is not installed: pip install 'reidar-plugin[slurm]'"
            ) from error
        try:
            limit = {f"{kind}_max_num_timeout": TIMEOUTS}
            self._executor = submitit.AutoExecutor(Path(folder).absolute() / "%j", cluster=kind, **limit)
            self._executor.update_parameters(**settings)
        except (RuntimeError, NameError, ValueError, AssertionError, TypeError) as error:
            raise ConfigError(f"no jobs can be handed in: {summary(error)}") from error

    def __call__(self, words: Sequence[str], threads: int) -> Submitted:
        """Hand a run in; it has as many threads as its job gets cores.

        Raises:
            RunError: the cluster refused it.
        """
        try:
            return Submitted(self._executor.submit(Job(command(words))), words)
        except Exception as error:
            raise RunError(f"the cluster took no job: {summary(error)}") from error
