"""Which of the processes of a job this one is.

``torchrun`` starts the ranks of a job and tells each its number in the environment. Every rank runs the same program on
its part of each batch; only the first one prints, and writes files.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta

from reidar_plugin.errors import ConfigError
from reidar_plugin.ranks.orphans import end_with_parent

__all__ = ["ALONE", "Job", "check_alone", "current", "joined", "report_error"]

#: How long a rank waits for one that is alive and does not come: as long as a test or a checkpoint may take elsewhere.
PATIENCE = timedelta(minutes=30)


@dataclass(frozen=True)
class Job:
    """The place of this process in its job; a process that ``torchrun`` did not start is a job of its own."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0  #: among the ranks of this machine

    @property
    def first(self) -> bool:
        """Whether this is the rank that prints and writes files."""
        return self.rank == 0

    def part(self, count: int) -> slice:
        """What this rank takes of ``count`` things in a row, equally many as every other.

        Raises:
            ConfigError: they cannot be shared out equally.

        Example:
            >>> list(range(8))[Job(rank=1, size=4).part(8)]
            [2, 3]
        """
        share, rest = divmod(count, self.size)
        if rest or not share:
            raise ConfigError(
                f"a batch of {count} clips (train.batch_size) cannot be shared by {self.size} ranks: choose a multiple "
                f"of {self.size}, or another number of ranks"
            )
        return slice(self.rank * share, (self.rank + 1) * share)

    def __str__(self) -> str:
        return f"rank {self.rank} of {self.size}"


#: A process that no other shares its work with.
ALONE = Job()

_current = ALONE


def current() -> Job:
    """The place of this process in the job that it has joined."""
    return _current


@contextmanager
def joined() -> Iterator[Job]:
    """Within the block this process is the rank that ``torchrun`` started it as; nothing happens to any other process.

    Ranks exchange what is on a GPU over NCCL, all else over gloo. All but the first print nothing. After an error a process
    keeps its place, so that the message can tell it. A rank whose ``torchrun`` was killed is told to end: it would go on,
    and keep the folder.
    """
    told = _told()
    if told.size == 1 or current().size > 1:
        yield current()
        return
    import torch
    from torch import distributed

    if "TORCHELASTIC_RUN_ID" in os.environ:  # started by torchrun, which lives as long as they should
        end_with_parent(os.getppid())
    gpus = torch.cuda.device_count()
    if told.local_rank < gpus:
        torch.cuda.set_device(told.local_rank)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=PATIENCE)
    _become(told)
    with _quiet(told):
        yield told
    distributed.destroy_process_group()  # not after an error: it may wait for ranks that are gone
    _become(ALONE)


def check_alone() -> None:
    """Refuse to be one of several ranks.

    Raises:
        ConfigError: ``torchrun`` started this process and others, and each would do all of the work.
    """
    told = _told()
    if told.size > 1:
        raise ConfigError(
            f"expected one process, got {told} from torchrun: this tool starts runs of its own; start it without torchrun"
        )


def report_error(error: BaseException) -> None:
    """Let ``torchrun``, which tells the rank that failed first and how it ended, tell the reason as well."""
    if current().size > 1:
        from torch.distributed.elastic.multiprocessing.errors import get_error_handler

        get_error_handler().record_exception(error)


def _told() -> Job:
    """What ``torchrun`` says in the environment."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    return Job(*(int(os.environ.get(name, default)) for name, default in zip(names, (0, 1, 0), strict=True)))


def _become(job: Job) -> None:
    global _current
    _current = job


@contextmanager
def _quiet(job: Job) -> Iterator[None]:
    if job.first:
        yield
        return
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield
