from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.data.evaluation_loader import evaluation_loader
from reidar_plugin.data.manager import ClipDataManager
from tests.fakes import write_mars


def manager(root: Path, **options: Any) -> ClipDataManager:
    write_mars(root, train_people=3, test_people=2, frames=[3, 5])
    return ClipDataManager(root=str(root), sources="mars", height=16, width=8, batch_size_train=4, **options)


def test_reads_every_tracklet_in_order_in_batches_of_one_size(tmp_path: Path) -> None:
    data = manager(tmp_path, use_gpu=False, workers=0, seq_len=2, batch_size_test=5)
    batches = list(data.evaluation_loader(data.train_table))
    assert {tuple(batch.frames.shape) for batch in batches} == {(5, 2, 16, 8, 3)}
    read = [tracklet for batch in batches for tracklet in batch.tracklets.tolist() if tracklet >= 0]
    clips = [-(-len(paths) // 2) for paths in data.train_table.paths]
    assert set(clips) == {2, 3}
    assert read == [tracklet for tracklet, number in enumerate(clips) for _ in range(number)]


@pytest.mark.parametrize(
    ("options", "frames"),
    [
        ({}, [[0, 1], [2, 3], [4, 4]]),
        ({"test_clips": "interleaved"}, [[0, 3], [1, 4], [2, 4]]),
        ({"test_clips": "interleaved", "test_max_clips": 2}, [[0, 3], [1, 4]]),
        ({"test_length": 4}, [[0, 1, 2, 3], [4, 4, 4, 4]]),
    ],
)
def test_cuts_tracklets_as_the_manager_says(
    tmp_path: Path, options: dict[str, Any], frames: list[list[int]]
) -> None:
    """Of a training tracklet of five frames, and of a gallery tracklet of five."""
    data = manager(tmp_path, use_gpu=False, workers=0, seq_len=2, **options)
    for loader in (data.evaluation_loader(data.train_table), data.test_loader["mars"]["gallery"]):
        source: Any = loader.dataset
        five = next(index for index, paths in enumerate(source.table.paths) if len(paths) == 5)
        assert source.plan.frames[source.plan.tracklets == five].tolist() == frames


def test_reads_in_processes_as_the_manager_says(tmp_path: Path) -> None:
    data = manager(tmp_path, use_gpu=False, workers=2, start_method="spawn")
    loader = data.evaluation_loader(data.train_table)
    assert loader.num_workers == 2
    assert loader.multiprocessing_context.get_start_method() == "spawn"
    assert not loader.pin_memory
    assert evaluation_loader(data.train_table, loader.reader, seq_len=2, pin=True).pin_memory


def test_counts_broken_frames_of_its_own_only(tmp_path: Path) -> None:
    data = manager(tmp_path, use_gpu=False, workers=0, on_broken="skip")
    first = data.train_table.paths[0]
    Path(first[1]).write_bytes(b"no picture")
    loaders = [data.evaluation_loader(data.train_table) for _ in range(2)]
    with pytest.warns(RuntimeWarning, match="replaced by"):
        list(loaders[0])
    assert [loader.replaced for loader in loaders] == [1, 0]
    assert data.train_loader.replaced == 0
