"""Clips for training: workers choose the frames, decode them, and return bytes and nothing else.

Which frames are chosen depends on (seed, epoch, index in the epoch) alone, and the sampler sends epoch and
index along with every tracklet. So an interrupted epoch can be made again, by any number of workers.
"""

import math
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import cv2
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, get_worker_info
from torch.utils.data._utils import signal_handling

from reidar_plugin.data.clips import draw_clip
from reidar_plugin.data.frames import check_reading, read_clip
from reidar_plugin.data.in_hand import InHand
from reidar_plugin.data.seeding import numpy_generator
from reidar_plugin.data.slow_reading import said_if_slow
from reidar_plugin.data.tracklet_table import TrackletTable
from reidar_plugin.errors import ConfigError
from reidar_plugin.ranks.job import ALONE, Job
from reidar_plugin.structures import ClipBatch

__all__ = [
    "ClipLoader",
    "ClipSource",
    "EpochBatches",
    "FrameReader",
    "Pick",
    "TrainClips",
    "sendable_bytes",
    "to_device",
]


class Pick(NamedTuple):
    """One clip of an epoch, as the sampler sends it to a worker."""

    tracklet: int  #: index in the list of tracklets
    epoch: int
    number: int  #: index in the order of the epoch


class Order(Protocol):
    """Tracklets in the order of an epoch; see ``samplers.py``."""

    def set_epoch(self, epoch: int) -> None: ...

    def __iter__(self) -> Iterator[int]: ...

    def __len__(self) -> int: ...


_COUNTERS = 1024  # more than a machine has workers


class FrameReader:
    """Reads the frames of a batch of clips into one array, and counts those it had to replace.

    Args:
        height: height of a frame in pixels.
        width: width of a frame in pixels.
        on_broken: see :func:`reidar_plugin.data.frames.read_clip`.
        interpolation: see :func:`reidar_plugin.data.frames.read_clip`.
    """

    def __init__(
        self, height: int, width: int, on_broken: str = "stop", interpolation: str = "cubic"
    ) -> None:
        if height < 1 or width < 1:
            raise ConfigError(f"expected frames of at least 1 x 1, got {height} x {width}")
        check_reading(on_broken, interpolation)
        self.height, self.width = height, width
        self.on_broken, self.interpolation = on_broken, interpolation
        # In shared memory, a counter for each process: no lock is needed, and the main process sees the sum.
        self._replaced = torch.zeros(_COUNTERS, dtype=torch.int64).share_memory_()
        self._in_hand = InHand()

    @property
    def replaced(self) -> int:
        """Frames replaced so far, by all workers; those read ahead of the training loop are in it."""
        return int(self._replaced.sum())

    def in_hand(self) -> list[str]:
        """The clips that are being read, each by its first picture."""
        return self._in_hand.all()

    def read(
        self, clips: Sequence[tuple[Sequence[str], NDArray[Any]]], length: int, total: int = 0
    ) -> Tensor:
        """Read clips of ``length`` frames.

        Args:
            clips: for each clip the paths of its tracklet and the ``(T,)`` indices of its frames.
            length: T.
            total: B, where it is more than ``clips``; the rest stays black.

        Returns:
            uint8 ``(B, T, H, W, 3)``, RGB.
        """
        frames = sendable_bytes(max(total, len(clips)), length, self.height, self.width, 3)
        frames[len(clips) :] = 0
        info = get_worker_info()
        counter = 0 if info is None else (info.id + 1) % _COUNTERS
        for out, (paths, indices) in zip(frames.numpy(), clips, strict=False):
            self._in_hand.note(counter, paths[int(indices[0])])
            self._replaced[counter] += read_clip(paths, indices, out, self.on_broken, self.interpolation)
        self._in_hand.note(counter)
        return frames


class ClipSource(Dataset[ClipBatch]):
    """A dataset that is asked for whole batches, so that frames are decoded where they are sent from."""

    table: TrackletTable
    reader: FrameReader

    def __getitems__(self, items: Sequence[Any]) -> ClipBatch:
        """The batch of these items."""
        raise NotImplementedError(f"{type(self).__name__} does not say how its batches are read")

    def __getitem__(self, item: Any) -> ClipBatch:
        """A batch of one clip."""
        return self.__getitems__([item])


class TrainClips(ClipSource):
    """One clip of each tracklet that is picked, chosen anew at every index of every epoch.

    Args:
        table: the tracklets.
        reader: reads the frames.
        length: T, frames in a clip.
        scheme: how a clip is drawn, one of ``clips.TRAIN_CLIPS``.
        seed: seed of the run.
        job: the rank that reads: a batch has its part of the frames, and the rows of all clips.
    """

    def __init__(
        self,
        table: TrackletTable,
        reader: FrameReader,
        length: int,
        scheme: str = "parts",
        seed: int = 0,
        job: Job = ALONE,
    ) -> None:
        # A wrong name shall be an error here, not in a worker.
        draw_clip(1, length, numpy_generator(seed, "frames"), scheme)
        self.table, self.reader, self.length, self.scheme, self.seed = table, reader, length, scheme, seed
        self.job = job

    def __len__(self) -> int:
        return len(self.table)

    def __getitems__(self, picks: Sequence[Pick]) -> ClipBatch:
        """The batch of these clips."""
        mine = picks[self.job.part(len(picks))]
        clips = [(self.table.paths[pick.tracklet], self._indices(pick)) for pick in mine]
        frames = self.reader.read(clips, self.length)
        return self.table.batch(frames, (pick.tracklet for pick in picks))

    def _indices(self, pick: Pick) -> NDArray[Any]:
        generator = numpy_generator(self.seed, "frames", pick.epoch, pick.number)
        return draw_clip(len(self.table.paths[pick.tracklet]), self.length, generator, self.scheme)


class EpochBatches(Sampler[list[Pick]]):
    """Batches of an epoch; tracklets that do not fill the last one are dropped.

    Args:
        order: the tracklets in the order of the epoch.
        batch_size: B.
    """

    def __init__(self, order: Order, batch_size: int) -> None:
        if batch_size < 1:
            raise ConfigError(f"train.batch_size: expected at least one clip, got {batch_size}")
        self.order, self.batch_size = order, batch_size
        self.set_epoch(0)

    def set_epoch(self, epoch: int, start: int = 0) -> None:
        """Make the batches those of this epoch, from batch ``start`` on (to go on after an interruption)."""
        self.epoch, self.start = epoch, start
        self.order.set_epoch(epoch)
        if len(self) == 0:
            raise ConfigError(
                f"an epoch of {len(self.order)} tracklets does not fill a batch of {self.batch_size}; "
                "lower train.batch_size"
            )

    def __len__(self) -> int:
        """Batches of the whole epoch, wherever it starts."""
        return len(self.order) // self.batch_size

    def __iter__(self) -> Iterator[list[Pick]]:
        picks = [Pick(int(tracklet), self.epoch, number) for number, tracklet in enumerate(self.order)]
        for batch in range(self.start, len(self)):
            yield picks[batch * self.batch_size : (batch + 1) * self.batch_size]


class ClipLoader(DataLoader[ClipBatch]):
    """Reads batches of clips in worker processes, in the order of ``batches``.

    Args:
        dataset: gives a whole :class:`ClipBatch` for what ``batches`` yields.
        batches: a batch sampler.
        workers: processes; 0 reads in this one.
        pin: put batches where a GPU can fetch them without waiting.
        keep: keep the workers between epochs.
        start_method: how workers are started, ``fork``, ``spawn`` or ``forkserver``; empty for the platform's own.
    """

    dataset: ClipSource

    def __init__(
        self,
        dataset: ClipSource,
        batches: Any,
        *,
        workers: int = 0,
        pin: bool = False,
        keep: bool = False,
        start_method: str = "",
    ) -> None:
        self.batches, self.reader, self.start_method = batches, dataset.reader, start_method
        super().__init__(
            dataset,
            batch_sampler=batches,
            num_workers=workers,
            collate_fn=as_it_is,
            pin_memory=pin,
            persistent_workers=keep and workers > 0,
            worker_init_fn=start_worker,
            multiprocessing_context=start_method if start_method and workers else None,
            generator=torch.Generator(),  # else every pass would draw a seed from the global one
        )

    def __iter__(self) -> Any:
        """The batches in their order.

        That a worker was killed is an error where its next one is waited for, within seconds; where one is waited for
        long, a line says so.
        """
        with _children_end_in_silence():
            batches = super().__iter__()
        return said_if_slow(batches, self.reader.in_hand)

    def set_epoch(self, epoch: int, start: int = 0) -> None:
        """See :meth:`EpochBatches.set_epoch`."""
        self.batches.set_epoch(epoch, start)

    @property
    def table(self) -> TrackletTable:
        """What is known of the tracklets that are read."""
        return self.dataset.table

    @property
    def replaced(self) -> int:
        """Frames that were broken and replaced by a neighbour so far (``on_broken: skip``)."""
        return self.reader.replaced

    def close(self) -> None:
        """End the workers that were kept between epochs; the next epoch starts others.

        The garbage collector may close the queue to a worker before the worker is told to end, and then waits ten
        seconds for each.
        """
        kept: Any = self._iterator  # torch names no way to end it but this
        self._iterator = None
        if kept is not None:
            kept._shutdown_workers()


@contextmanager
def _children_end_in_silence() -> Iterator[None]:
    """What torch sets up within the block to hear of a worker's end raises in the midst of whatever runs then, such as the
    writing of a checkpoint, and a second time: it is not kept, and set up again for a loader that is none of ours. Torch
    also looks while it waits for a batch.
    """
    if not hasattr(signal, "SIGCHLD") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before, done = signal.getsignal(signal.SIGCHLD), signal_handling._SIGCHLD_handler_set
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)
        signal_handling._SIGCHLD_handler_set = done


LEFT_BEHIND = 10  #: seconds for which a worker goes on after SIGTERM


def sendable_bytes(*shape: int) -> Tensor:
    """An uint8 tensor, in a worker where the main process will read it (as torch's own collation does).

    Elsewhere it would be copied there when it is sent, which costs as much again.
    """
    if get_worker_info() is None:
        return torch.empty(shape, dtype=torch.uint8)
    shared = torch.UntypedStorage._new_shared(math.prod(shape))
    return torch.empty(0, dtype=torch.uint8).set_(shared).view(shape)


def to_device(batch: ClipBatch, device: torch.device | str) -> ClipBatch:
    """The batch on that device; from pinned memory without waiting."""
    return ClipBatch(*(field.to(device, non_blocking=True) for field in batch))


def as_it_is(batch: Any) -> Any:
    """Nothing is left to collate: the dataset returns whole batches."""
    return batch


def start_worker(_: int) -> None:
    """One thread a worker: as many workers as cores would else fight for them.

    Ctrl-C is the parent's to answer, and so is the end of a job, which schedulers tell to all of its processes at once:
    the parent saves, then ends its workers. One that is told to end and is left behind does so after a while.
    """
    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that closes tells all of its processes
        signal.signal(signal.SIGTERM, lambda number, frame: signal.alarm(LEFT_BEHIND))
