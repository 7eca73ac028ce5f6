"""Many ordinary runs, each in a folder of its own: which of them are done, and several at once of those that are not.

Benches and tables are made of them. Killed at any moment, the same command goes on: a run that is done is not repeated,
one that was stopped goes on as any run does.
"""

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from yacs.config import CfgNode

from reidar_plugin.config.settings import leaves
from reidar_plugin.engine.interrupt import INTERRUPTED
from reidar_plugin.errors import ConfigError
from reidar_plugin.io.console import say
from reidar_plugin.launch import chains, subprocesses
from reidar_plugin.report.results import Results, plain, read_results

__all__ = ["Launcher", "Run", "Started", "finished", "run_all"]

#: Keys that may differ between a finished run and the one that would be started now.
ELSEWHERE = ("data.root", "data.save_dir", "data.workers", "use_gpu")


class Started(Protocol):
    """A run that was started somewhere."""

    def ended(self) -> bool:
        """Whether it goes on no more."""

    def check(self) -> None:
        """Raise RunError where it did not end well."""

    def stop(self, sign: signal.Signals) -> None:
        """Tell it to save and end."""

    def wait(self) -> None:
        """Wait until it has ended."""


#: From the words of a run's command line, and a number of threads.
Launcher = Callable[[Sequence[str], int], Started]


@dataclass(frozen=True)
class Run:
    """A training, or the test of a trained model (``test.evaluate True``)."""

    data: str  #: name of what it is tested on, such as a street
    variant: str
    seed: int
    folder: Path
    config: Path
    options: tuple[str, ...]  #: all that the run changes in the config
    after: "Run | None" = None  #: has to be done first, since this one starts from its weights, or tests them

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.data} {self.variant} seed {self.seed}"

    @property
    def words(self) -> list[str]:
        """Its command line, as tools/main.py takes it."""
        return subprocesses.arguments(self.config, options=self.options)

    def cfg(self) -> CfgNode:
        """Its whole config."""
        cfg = subprocesses.merged(self.config, self.options)
        cfg.use_gpu = torch.cuda.is_available()
        return cfg

    @property
    def carries(self) -> bool:
        """Whether it trains on from the weights of the run before it."""
        return self.after is not None and not self.cfg().test.evaluate

    def prepare(self) -> None:
        """Write the weights that it starts from, where they are those of another run."""
        if self.after is not None and self.carries:
            chains.carry_over(self.after.folder, self.folder)


def finished(run: Run) -> Results | None:
    """Results of a run that is done; None where it has to be started, or to go on.

    Raises:
        ConfigError: what lies in its folder is of another config.
    """
    if not (run.folder / "results.json").is_file():
        return None
    results, cfg = read_results(run.folder), run.cfg()
    there, here = dict(leaves(results.config)), dict(leaves(plain(cfg)))
    elsewhere = (*ELSEWHERE, "model.load_weights") if run.after else ELSEWHERE
    keys = sorted(key for key in here if key not in elsewhere and there.get(key) != here[key])
    if keys:
        changes = ", ".join(f"{key} {there.get(key)!r}, now {here[key]!r}" for key in keys[:3])
        raise ConfigError(
            f"{run.folder} holds a run of another config ({changes}); name the variant or the folder of all runs "
            "otherwise, or delete that folder"
        )
    done = cfg.test.evaluate or results.notes.get("epochs") == cfg.train.max_epoch
    return results if done else None


def run_all(
    runs: Sequence[Run], at_once: int, threads: int, pause: float = 0.2, launch: Launcher | None = None
) -> None:
    """Run what is not finished, so many at a time, each in a process of its own that prints into its log alone.

    Args:
        runs: all of them; those that others follow from are among them.
        at_once: processes.
        threads: of torch, in each.
        pause: seconds between two looks at the processes.
        launch: starts a run; None for a process on this machine.

    Raises:
        RunError: a run failed; the others are stopped, having saved.
        SystemExit: after Ctrl-C, with 130; all have saved.
    """
    done = {run for run in runs if finished(run) is not None}
    waiting = [run for run in runs if run not in done]
    total, start = len(waiting), time.monotonic()
    launch = launch or subprocesses.Quiet
    running: dict[Run, Started] = {}
    try:
        while waiting or running:
            while len(running) < at_once and (
                ready := [r for r in waiting if not r.after or r.after in done]
            ):
                waiting.remove(run := ready[0])
                run.prepare()
                running[run] = launch(run.words, threads)
            time.sleep(pause)
            for run in [run for run, process in running.items() if process.ended()]:
                running.pop(run).check()
                done.add(run)
                spent = (time.monotonic() - start) / 60
                say(f"{total - len(waiting) - len(running)}/{total} {run.name}: done after {spent:.1f} min")
    except BaseException as stop:
        by_hand = isinstance(stop, KeyboardInterrupt)
        for process in running.values():
            process.stop(signal.SIGINT if by_hand else signal.SIGTERM)
        for process in running.values():  # each needs a moment to save
            process.wait()
        if by_hand:
            say("stopped; all runs have saved, and the same command goes on from there")
            raise SystemExit(INTERRUPTED) from None
        raise
