"""Training batches: bytes and table that belong together, whoever reads them and however often."""

import multiprocessing
import pickle
import signal
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from reidar_plugin.data.clips import draw_clip
from reidar_plugin.data.loader import (
    LEFT_BEHIND,
    ClipLoader,
    EpochBatches,
    FrameReader,
    Pick,
    TrainClips,
    start_worker,
    to_device,
)
from reidar_plugin.data.samplers import IdentityPass
from reidar_plugin.data.seeding import numpy_generator
from reidar_plugin.data.tracklet_table import TrackletTable
from reidar_plugin.data.tracklets import Frames
from reidar_plugin.errors import ConfigError, PictureError
from reidar_plugin.labels.spaces import ACTIONS3, ACTIONS8
from reidar_plugin.ranks.job import Job
from reidar_plugin.structures import ClipBatch
from tests import warm

PEOPLE, EACH = 4, 3


def write_tracklets(folder: Path) -> list[Any]:
    """Frame f of tracklet n has the colour (n, f, 0): what is read tells what was asked for."""
    samples: list[Any] = []
    for n in range(PEOPLE * EACH):
        paths = []
        for f in range(1 + n % 7):
            paths.append(str(folder / f"{n:02}-{f}.png"))
            Image.fromarray(np.full((8, 4, 3), (n, f, 0), np.uint8)).save(paths[-1])
        labels = None if n % 4 == 3 else {ACTIONS8.names[n % 8], "walking"}
        samples.append((Frames(paths, f"k{n}", labels), n // EACH, n % 5, 0))
    samples[5] = (tuple(samples[5][0]), *samples[5][1:])  # as the host's own data sets have it
    return samples


def build(samples: list[Any], workers: int = 0, seed: int = 0, **options: Any) -> ClipLoader:
    reader = FrameReader(8, 4, options.pop("on_broken", "stop"))
    dataset = TrainClips(TrackletTable(samples, ACTIONS8), reader, length=4, seed=seed)
    order = IdentityPass([sample[1] for sample in samples], people=2, instances=2, seed=seed)
    return ClipLoader(dataset, EpochBatches(order, 4), workers=workers, **options)


def epoch_of(loader: ClipLoader, epoch: int, start: int = 0) -> list[ClipBatch]:
    loader.set_epoch(epoch, start)
    return list(loader)


def same(first: list[ClipBatch], second: list[ClipBatch]) -> bool:
    pairs = [(a, b) for one, two in zip(first, second, strict=True) for a, b in zip(one, two, strict=True)]
    return all(torch.equal(a.nan_to_num(-1), b.nan_to_num(-1)) for a, b in pairs)


def test_frames_and_facts_belong_together(tmp_path: Path) -> None:
    samples = write_tracklets(tmp_path)
    order = IdentityPass([sample[1] for sample in samples], people=2, instances=2, seed=0)
    place = 0
    for epoch in range(3):
        batches = epoch_of(build(samples), epoch)
        order.set_epoch(epoch)
        assert torch.cat([batch.tracklets for batch in batches]).tolist() == list(order)
        place = 0
        for batch in batches:
            assert batch.frames.dtype == torch.uint8
            assert batch.frames.shape == (4, 4, 8, 4, 3)
            assert batch.labels.shape == (4, 8)
            assert batch.attributes.shape == (4, 0)
            for i, tracklet in enumerate(batch.tracklets.tolist()):
                paths, pid, camid, _ = samples[tracklet]
                assert (batch.pids[i], batch.camids[i]) == (pid, camid)
                expected = ACTIONS8.encode(getattr(paths, "labels", None))
                np.testing.assert_array_equal(batch.labels[i].numpy(), expected)
                assert (batch.frames[i, ..., 0] == tracklet).all()
                chosen = draw_clip(len(paths), 4, numpy_generator(0, "frames", epoch, place))
                assert batch.frames[i, :, 0, 0, 1].tolist() == chosen.tolist()
                place += 1
    assert place == 8


def test_an_epoch_can_be_made_again_and_taken_up_in_the_middle(tmp_path: Path) -> None:
    samples = write_tracklets(tmp_path)
    loader = build(samples)
    whole = epoch_of(loader, 3)
    assert len(whole) == len(loader) == 2
    assert not same(epoch_of(loader, 2), whole)
    assert not same(epoch_of(build(samples, seed=1), 3), whole)
    state = torch.get_rng_state()
    assert same(epoch_of(build(samples), 3), whole)
    assert torch.equal(torch.get_rng_state(), state)
    assert same(epoch_of(build(samples), 3, start=1), whole[1:])


@pytest.mark.slow
@pytest.mark.parametrize(("start_method", "workers"), [("fork", 2), (warm.METHOD, 1)])
def test_workers_change_nothing_however_they_start(tmp_path: Path, start_method: str, workers: int) -> None:
    if start_method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this platform cannot {start_method}")
    samples = write_tracklets(tmp_path)
    here, there = build(samples), build(samples, workers=workers, start_method=start_method, keep=True)
    for epoch in (0, 1):  # the second epoch is by workers that live on
        assert same(epoch_of(there, epoch), epoch_of(here, epoch))
    there.set_epoch(2)
    next(iter(there))  # an epoch that is broken off
    assert same(epoch_of(there, 2), epoch_of(here, 2))
    there.close()


def test_kept_workers_end_when_the_loader_is_closed(tmp_path: Path) -> None:
    """By themselves, and others begin; a loader without workers has nothing to close."""
    samples = write_tracklets(tmp_path)
    loader, here = build(samples, workers=2, keep=True), build(samples)
    for epoch in (0, 1):
        assert same(epoch_of(loader, epoch), epoch_of(here, epoch))
        workers = list(loader._iterator._workers)
        assert [worker.exitcode for worker in workers] == [None, None]
        loader.close()
        assert [worker.exitcode for worker in workers] == [0, 0]
    loader.close()
    here.close()


def test_a_broken_picture_stops_or_is_counted(tmp_path: Path) -> None:
    samples = write_tracklets(tmp_path)
    for paths, *_ in samples[4:7]:
        Path(paths[0]).write_bytes(b"")
    everything = EpochBatches(IdentityPass([sample[1] for sample in samples], 4, 3, 0), 12)
    stopping = ClipLoader(TrainClips(TrackletTable(samples), FrameReader(8, 4), 4), everything)
    with pytest.raises(PictureError, match=r"-0\.png: expected a picture, got an empty file"):
        list(stopping)
    for workers in (0, 2):
        loader = build(samples, workers=workers, on_broken="skip")
        with pytest.warns(RuntimeWarning, match="replaced by") if workers == 0 else nullcontext():
            batches = epoch_of(loader, 0)
        # Frame 0 is never seen of these tracklets, and every place where it was drawn is counted.
        drawn = 0
        for place, tracklet in enumerate(torch.cat([batch.tracklets for batch in batches]).tolist()):
            chosen = draw_clip(len(samples[tracklet][0]), 4, numpy_generator(0, "frames", 0, place))
            drawn += int((chosen == 0).sum()) * (tracklet in (4, 5, 6))
        assert loader.replaced == drawn > 0
        assert 0 not in torch.cat(
            [b.frames[b.tracklets.eq(t), ..., 1].flatten() for t in (4, 5, 6) for b in batches]
        )


def test_the_error_of_a_worker_names_the_picture(tmp_path: Path) -> None:
    samples = write_tracklets(tmp_path)
    for paths, *_ in samples:
        Path(paths[0]).unlink()
    with pytest.raises(PictureError, match=r"-0\.png: expected a picture, got No such file"):
        epoch_of(build(samples, workers=1), 0)


def test_what_a_worker_gets_can_be_pickled(tmp_path: Path) -> None:
    samples = write_tracklets(tmp_path)
    table = TrackletTable(samples, ACTIONS8)
    again = pickle.loads(pickle.dumps(table))
    assert torch.equal(again.labels.nan_to_num(-1), table.labels.nan_to_num(-1))
    assert again.paths == table.paths


def test_labels_meet_the_space_that_is_asked_for(tmp_path: Path) -> None:
    samples = write_tracklets(tmp_path)
    assert TrackletTable(samples).labels.shape == (12, 0)
    three = TrackletTable(samples, ACTIONS3)
    assert three.labels.shape == (12, 3)
    assert three.labels[0].tolist() == [1, 0, 0]
    assert three.labels[2].tolist() == ACTIONS3.encode({"item_one_hand", "walking"}).tolist() == [1, 0, 1]
    assert three.labels[3].isnan().all()
    assert three.labels[5].isnan().all()
    samples[2] = (Frames(samples[2][0], "0003C1T0001", {"dancing"}), 0, 0, 0)
    with pytest.raises(ConfigError, match=r"tracklet '0003C1T0001' of .*unknown label 'dancing'"):
        TrackletTable(samples, ACTIONS3)


def test_a_batch_moves_as_a_whole(tmp_path: Path) -> None:
    batch = epoch_of(build(write_tracklets(tmp_path)), 0)[0]
    moved = to_device(batch, "meta")
    assert isinstance(moved, ClipBatch)
    assert {field.device.type for field in moved} == {"meta"}


def test_a_single_pick_is_a_batch_of_one(tmp_path: Path) -> None:
    clips: Any = build(write_tracklets(tmp_path)).dataset
    assert clips[Pick(6, epoch=0, number=0)].frames.shape == (1, 4, 8, 4, 3)
    assert len(clips) == 12


def test_says_what_is_wrong(tmp_path: Path) -> None:
    samples = write_tracklets(tmp_path)
    with pytest.raises(ConfigError, match=r"tracklet 1 \(pid 9, camid 2\) has no frames; leave it out"):
        TrackletTable([samples[0], ((), 9, 2, 0)])
    with pytest.raises(
        TypeError, match=r"tracklet 0: expected the paths of its frames, got 'a.jpg'; .*image dataset"
    ):
        TrackletTable([("a.jpg", 0, 0, 0)])
    with pytest.raises(TypeError, match=r"tracklet 0: expected \(paths, pid, camid, dsetid\), got 3"):
        TrackletTable([3])
    with pytest.raises(ConfigError, match="unknown choice of frames 'x'"):
        TrainClips(TrackletTable(samples), FrameReader(8, 4), 4, "x")
    with pytest.raises(ConfigError, match=r"train.batch_size: expected at least one clip, got 0"):
        EpochBatches(IdentityPass([s[1] for s in samples], 4, 3, 0), 0)
    with pytest.raises(ConfigError, match="at least 1 x 1, got 0 x 4"):
        FrameReader(0, 4)
    with pytest.raises(
        ConfigError, match=r"epoch of 12 tracklets does not fill a batch of 16; lower train.batch_size"
    ):
        EpochBatches(IdentityPass([s[1] for s in samples], 4, 3, 0), 16)


def _told_to_end(answer: "multiprocessing.Queue[float]") -> None:
    start_worker(0)
    for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGHUP, signal.SIGTERM):
        signal.raise_signal(number)
    answer.put(signal.alarm(1))  # seconds that were left
    signal.pause()


def test_a_worker_that_is_told_to_end_does_so_after_a_while() -> None:
    """A scheduler tells all processes of a job at once; the parent still has a step to finish."""
    context = multiprocessing.get_context("fork")
    answer: multiprocessing.Queue[float] = context.Queue()
    worker = context.Process(target=_told_to_end, args=(answer,))
    worker.start()
    assert 0 < answer.get(timeout=60) <= LEFT_BEHIND
    worker.join(60)
    assert worker.exitcode == -signal.SIGALRM


def test_a_rank_reads_its_part_and_knows_of_all(tmp_path: Path) -> None:
    samples = write_tracklets(tmp_path)
    whole = epoch_of(build(samples), 1)
    for rank in range(2):
        loader = build(samples)
        loader.dataset.job = Job(rank, 2)
        for batch, all_of_it in zip(epoch_of(loader, 1), whole, strict=True):
            assert torch.equal(batch.frames, all_of_it.frames[2 * rank : 2 * rank + 2])
            assert torch.equal(batch.tracklets, all_of_it.tracklets)
            assert torch.equal(batch.pids, all_of_it.pids)
