"""Loaders that read every tracklet of a list at test: queries, galleries, held-out people, training people."""

from reidar_plugin.data.loader import ClipLoader, FrameReader
from reidar_plugin.data.packed_clips import FullBatches, PackedClips, plan_clips
from reidar_plugin.data.tracklet_table import TrackletTable
from reidar_plugin.ranks.job import ALONE, Job

__all__ = ["evaluation_loader"]


def evaluation_loader(
    table: TrackletTable,
    reader: FrameReader,
    *,
    seq_len: int,
    test_clips: str = "consecutive",
    test_max_clips: int = 0,
    batch_size: int = 128,
    workers: int = 0,
    pin: bool = False,
    start_method: str = "",
    job: Job = ALONE,
) -> ClipLoader:
    """The clips of all tracklets of a table, in their order, packed into batches of one shape.

    A data manager binds its own settings (:meth:`.ClipDataManager.evaluation_loader`); use that one wherever there is a
    manager, so that all tracklets of a run are cut and read alike.

    Args:
        table: the tracklets.
        reader: reads the frames.
        seq_len: T, frames in a clip.
        test_clips: how a tracklet is cut, one of ``clips.TEST_CLIPS``.
        test_max_clips: at most so many clips of a tracklet; 0 for all.
        batch_size: clips, not tracklets, in a batch.
        workers: reading processes; 0 reads in this one.
        pin: put batches where a GPU can fetch them without waiting.
        start_method: how workers are started, ``fork``, ``spawn`` or ``forkserver``; empty for the platform's own.
        job: the rank that reads, its part of the batches.
    """
    plan = plan_clips([len(paths) for paths in table.paths], seq_len, test_clips, test_max_clips)
    packed = PackedClips(table, reader, plan)
    batches = FullBatches(len(packed), batch_size, job)
    return ClipLoader(packed, batches, workers=workers, pin=pin, start_method=start_method)
