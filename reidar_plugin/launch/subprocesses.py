"""Runs that follow from runs: what the tools for transfer, cross-dataset tests, splits and searches have in common."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from yacs.config import CfgNode

from reidar_plugin.checkpoint.store import BEST, read_checkpoint
from reidar_plugin.config.files import full_config
from reidar_plugin.engine.interrupt import INTERRUPTED
from reidar_plugin.errors import ConfigError, ReidarError
from reidar_plugin.io.atomic import write_atomically
from reidar_plugin.launch import runner
from reidar_plugin.launch.idle_keys import check_idle_keys

__all__ = [
    "Quiet",
    "RunError",
    "arguments",
    "beside",
    "best_checkpoint",
    "check_status",
    "command",
    "configs_and_options",
    "merged",
    "run_in_turn",
    "start",
    "write_start",
]

#: First of all: a run whose starter was killed would go on and keep its folder locked. Then Ctrl-C, which is ignored where
#: nohup or a shell put the starter aside.
_LAUNCH = """
import signal, sys
from reidar_plugin.ranks.orphans import end_with_parent
end_with_parent(STARTER)
signal.signal(signal.SIGINT, signal.default_int_handler)
from reidar_plugin.launch.guard import guard
def run():
    from reidar_plugin.launch import subprocesses
    subprocesses.run_in_turn()
sys.exit(guard(run))
"""

THEN = "--then"  #: between the command lines of runs that follow each other in one process


class RunError(ReidarError, RuntimeError):
    """A run inside a longer chain that did not end well."""


def arguments(
    config_file: str | Path,
    *,
    root: str = "",
    targets: Sequence[str] = (),
    options: Sequence[str] = (),
    **keys: Any,
) -> list[str]:
    """The command line of a run, as ``tools/main.py`` takes it.

    Args:
        config_file: config file of the run.
        root: folder of the data sets; empty for the config's own.
        targets: data sets to test on; empty for the config's own.
        options: config keys and values from the user; they win over the file, and ``keys`` over them.
        keys: more of them, as ``data__save_dir="log"``.
    """
    words = ["-t", *targets] if targets else []  # first: it takes all words up to the next flag
    words += ["--config-file", str(config_file)]
    words += ["--root", root] if root else []
    pairs = [(key.replace("__", "."), str(value)) for key, value in keys.items()]
    return [*words, *options, *(word for pair in pairs for word in pair)]


def configs_and_options(words: Sequence[str], least: int = 1) -> tuple[list[str], list[str]]:
    """The configs at the front of a command line, by their ending, and the KEY VALUE pairs behind them.

    Args:
        words: words of the command line, without flags.
        least: how many configs there must be.
    """
    configs = list(takewhile(lambda word: word.endswith((".yaml", ".yml")), words))
    if len(configs) < least:
        raise ConfigError(
            f"expected {least} or more configs (.yaml), then KEY VALUE pairs, got {len(configs)} before "
            f"{words[len(configs)] if len(words) > len(configs) else 'the end'!r}"
        )
    return configs, list(words[len(configs) :])


def run_in_turn() -> None:
    """What a process of runs does: each that its command line asks for, one after the other."""
    words: list[str] = []
    for word in [*sys.argv[1:], THEN]:
        if word == THEN:
            runner.main(words)
            words = []
        else:
            words.append(word)


def start(words: Sequence[str]) -> None:
    """Run it in a process of its own, which prints as it always does.

    Raises:
        RunError: it failed; what it printed says why.
        SystemExit: after Ctrl-C, with 130: it has saved everything.
    """
    process = _launched(words)
    with _awaited(process):
        pass
    check_status(process.returncode, words)


@contextmanager
def beside(*runs: Sequence[str], threads: int) -> Iterator[None]:
    """Run them, one after the other, in a process of their own while the block runs, and wait for their end; they print
    into their own logs alone.

    Where the block fails the process is ended too; where Ctrl-C stops the block, so that the process saves.

    Args:
        runs: words of the command line of each.
        threads: number of threads that torch uses.

    Raises:
        RunError: one failed; the message ends with the last line that it wrote.
        SystemExit: after Ctrl-C, with 130: it has saved everything.
    """
    run = Quiet([word for words in runs for word in (THEN, *words)][1:], threads)
    with _awaited(run.process):
        yield
    run.check()


def command(words: Sequence[str]) -> list[str]:
    """The command of a process of runs; it ends with the one that starts it."""
    return [sys.executable, "-c", _LAUNCH.replace("STARTER", str(os.getpid())), *words]


def _launched(words: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """A run in a process and a session of its own, which a terminal's Ctrl-C does not reach by itself."""
    with _heard_by_children():
        return subprocess.Popen(command(words), start_new_session=True, **options)


@contextmanager
def _heard_by_children() -> Iterator[None]:
    """A process that is started within hears Ctrl-C from its first moment: what this one ignores it would ignore as well,
    until it has its own answer.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: None)  # ignored here all the same
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _awaited(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """The process has ended when the block has.

    Ctrl-C reaches it through us alone and once: a second one while it saves would stop that. Ours, should there be a
    second, does not wait any longer and leaves it to its saving.
    """
    try:
        yield
        process.wait()
    except BaseException as stop:
        by_hand = isinstance(stop, KeyboardInterrupt) or (
            isinstance(stop, SystemExit) and stop.code == INTERRUPTED
        )
        process.send_signal(signal.SIGINT if by_hand else signal.SIGTERM)
        process.wait()
        if by_hand:
            raise SystemExit(INTERRUPTED) from None
        raise


def check_status(status: int, words: Sequence[str], last: str = "") -> None:
    """Raise where a run ended with a status other than 0.

    Args:
        status: of its process.
        words: words of its command line.
        last: the last line that it wrote.
    """
    if status == INTERRUPTED:
        raise SystemExit(INTERRUPTED)
    if status:
        raise RunError(f"the run ended with status {status}: {' '.join(words)}{': ' if last else ''}{last}")


def merged(config_file: str | Path, options: Sequence[str] = ()) -> CfgNode:
    """The config of a file, with options of a command line.

    Raises:
        ConfigError: a key that nobody knows, a value that does not fit, or a key without effect.
    """
    cfg = full_config()
    cfg.merge_from_file(str(config_file))
    cfg.merge_from_list(list(options))
    check_idle_keys(cfg)
    return cfg


def best_checkpoint(save_dir: str | Path) -> Path:
    """The best checkpoint of a run that has ended."""
    path = Path(save_dir) / "model" / BEST
    if not path.is_file():
        raise RunError(f"{save_dir} holds no {BEST}: its run has not been tested yet")
    return path


def write_start(checkpoint: str | Path, path: str | Path) -> dict[str, int]:
    """Write what another data set can start from: all weights but the classifier, whose people are other people.

    Centres, optimisers and schedules are left behind as well; the next run makes them anew.

    Args:
        checkpoint: path of a checkpoint.
        path: to write to, a file that ``model.load_weights`` takes.

    Returns:
        Number of tensors that go over, by part of the model.
    """
    weights: Mapping[str, Tensor] = read_checkpoint(checkpoint)["state_dict"]
    kept = {name: value for name, value in weights.items() if not name.startswith("classifier.")}
    buffer = io.BytesIO()
    torch.save({"state_dict": kept}, buffer)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_atomically(Path(path), buffer.getvalue())
    return dict(Counter(name.partition(".")[0] for name in kept))


class Quiet:
    """A run that is going on in a process of its own and prints into its own log alone; whoever starts it also stops it.

    Args:
        words: words of the command line.
        threads: number of threads that torch uses.
    """

    def __init__(self, words: Sequence[str], threads: int) -> None:
        self.words = words
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115, it outlives us
        self.process = _launched(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            env=os.environ | {"OMP_NUM_THREADS": str(threads)},
        )

    def ended(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    def check(self) -> None:
        """Raise where it did not end well.

        Raises:
            RunError: it failed; the message ends with the last line that it wrote.
            SystemExit: after Ctrl-C, with 130: it has saved everything.
        """
        with self._said as said:
            said.seek(0)
            check_status(self.process.returncode, self.words, said.read().strip().rpartition("\n")[2])

    def stop(self, sign: signal.Signals) -> None:
        """Ask it to end."""
        self.process.send_signal(sign)

    def wait(self) -> None:
        """Wait until it has ended."""
        self.process.wait()
