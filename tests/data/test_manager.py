"""The host's data manager with our loaders: any video data set of the host, labels on their way to the batch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from yacs.config import CfgNode

import reidar_plugin
from reidar_plugin import host
from reidar_plugin.config import add_reidar_config
from reidar_plugin.data.augment import Augment
from reidar_plugin.data.manager import ClipDataManager
from reidar_plugin.data.samplers import HostOrder, IdentityPass
from reidar_plugin.data.tracklets import Frames
from reidar_plugin.errors import ConfigError
from reidar_plugin.host import defaults, reid
from reidar_plugin.labels.spaces import ACTIONS3, ACTIONS8, LabelSpace
from reidar_plugin.structures import ClipBatch
from tests.fakes import (
    ACTIONS,
    write_actions,
    write_dukemtmcvidreid,
    write_ilidsvid,
    write_mars,
    write_prid2011,
)

SMALL: dict[str, Any] = {
    "height": 16,
    "width": 8,
    "workers": 0,
    "use_gpu": False,
    "batch_size_train": 8,
    "batch_size_test": 3,
}


def manager(root: Path, sources: Any, **options: Any) -> ClipDataManager:
    return ClipDataManager(root=str(root), sources=sources, **{**SMALL, **options})


def check_batch(batch: ClipBatch, samples: list[Any], space: LabelSpace) -> None:
    """Every fact in the batch is the one of the tracklet that it names."""
    for i, place in enumerate(batch.tracklets.tolist()):
        if place < 0:
            continue
        paths, pid, camid, _ = samples[place]
        assert (batch.pids[i], batch.camids[i]) == (pid, camid)
        row = space.encode(getattr(paths, "labels", None))
        np.testing.assert_array_equal(batch.labels[i].numpy(), row)


def test_labels_arrive_as_the_file_has_them(tmp_path: Path) -> None:
    home = write_mars(tmp_path, frames=[3, 9, 1])
    write_actions(
        home / "actions.csv", [("0002", "walking"), ("0002C2", "riding|trolley"), ("0004", "phone_to_ear")]
    )
    reidar_plugin.enable()
    data = manager(tmp_path, "mars_actions")
    rows: dict[tuple[int, int], set[tuple[float, ...]]] = {}
    for epoch in range(6):
        data.train_loader.set_epoch(epoch)
        for batch in data.train_loader:
            for pid, camid, row in zip(
                batch.pids.tolist(), batch.camids.tolist(), batch.labels.tolist(), strict=True
            ):
                rows.setdefault((pid, camid), set()).add(tuple(row) if row[0] == row[0] else ())
    walking, riding, ear = (ACTIONS.index(name) for name in ("walking", "riding", "phone_to_ear"))
    hot = {
        key: {tuple(np.flatnonzero(row)) if row else None for row in values} for key, values in rows.items()
    }
    assert hot[0, 0] == {(walking,)}
    assert hot[0, 1] == {(riding, ACTIONS.index("trolley"))}
    assert hot[1, 0] == hot[1, 1] == {(ear,)}
    assert hot[2, 0] == {None}
    assert data.train_table.labels.shape[1] == 8


def test_two_sources_keep_labels_and_do_not_mix_people(tmp_path: Path) -> None:
    write_mars(tmp_path)
    write_mars(tmp_path, folder="other", train_people=3)
    write_ilidsvid(tmp_path)
    reidar_plugin.enable()
    data = manager(tmp_path, ["mars_actions", "ilidsvid"], targets="mars_actions", space=ACTIONS8)
    assert data.sources == ["mars_actions", "ilidsvid"]
    samples = data.train_loader.dataset.table.paths
    first = [paths for paths in samples if isinstance(paths, Frames) and paths.labels is not None]
    assert 0 < len(first) < len(samples)
    labels = data.train_table.labels
    assert (~labels.isnan().all(dim=1)).sum() == len(first)
    people = [
        set(data.train_table.pids[:-1][labels.isnan().all(dim=1) == unknown].tolist())
        for unknown in (True, False)
    ]
    assert not people[0] & people[1]
    assert people[0] | people[1] == set(range(data.num_train_pids))
    for batch in data.train_loader:
        for i, place in enumerate(batch.tracklets.tolist()):
            expected = ACTIONS8.encode(getattr(samples[place], "labels", None))
            np.testing.assert_array_equal(batch.labels[i].numpy(), expected)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("mars", write_mars),
        ("ilidsvid", write_ilidsvid),
        ("prid2011", write_prid2011),
        ("dukemtmcvidreid", write_dukemtmcvidreid),
    ],
)
def test_any_video_data_set_of_the_host_goes_through_with_unknown_labels(
    tmp_path: Path, name: str, write: Callable[[Path], object]
) -> None:
    write(tmp_path)
    data = manager(tmp_path, name, space=ACTIONS3, num_instances=2, batch_size_train=4)
    batches = list(data.train_loader)
    assert batches
    for batch in batches:
        assert batch.frames.shape == (4, 4, 16, 8, 3)
        assert batch.frames.any()
        assert batch.labels.shape == (4, 3)
        assert batch.labels.isnan().all()
    for part in ("query", "gallery"):
        samples = data.test_dataset[name][part]
        seen = set()
        for batch in data.test_loader[name][part]:
            assert batch.frames.shape == (3, 4, 16, 8, 3)
            check_batch(batch, samples, ACTIONS3)
            seen |= set(batch.tracklets.tolist())
        assert seen - {-1} == set(range(len(samples)))
    assert data.fetch_test_loaders(name) == (
        data.test_dataset[name]["query"],
        data.test_dataset[name]["gallery"],
    )


def test_a_data_set_of_a_user(tmp_path: Path) -> None:
    write_mars(tmp_path)

    class Mine(reid.data.VideoDataset):
        def __init__(self, root: str = "", **kwargs: object) -> None:
            pictures = sorted(str(path) for path in (Path(root) / "mars" / "bbox_train").rglob("*.jpg"))
            samples = [((path,), i % 3, i % 2) for i, path in enumerate(pictures)]
            super().__init__(samples, samples[:2], samples[2:4], **kwargs)

    reid.data.register_video_dataset("mine", Mine)
    try:
        data = manager(tmp_path, "mine", train_sampler="RandomSampler")
        assert data.space is None
        (batch, *_) = data.train_loader
        assert batch.labels.shape == (8, 0)
    finally:
        host.dataset_table("video").pop("mine")


def test_people_must_be_numbered_from_0(tmp_path: Path) -> None:
    write_mars(tmp_path)

    class Holes(reid.data.VideoDataset):
        def __init__(self, root: str = "", **kwargs: object) -> None:
            samples = [((f"{root}/{i}.jpg",), 2 * i, 0) for i in range(4)]
            super().__init__(samples, samples, samples, **kwargs)

    reid.data.register_video_dataset("holes", Holes)
    try:
        with pytest.raises(ConfigError, match="numbered 0 to 3, got 0 to 6; relabel"):
            manager(tmp_path, "holes", batch_size_train=4, num_instances=2)
    finally:
        host.dataset_table("video").pop("holes")


def test_combineall_trains_on_everybody_with_labels(tmp_path: Path) -> None:
    write_mars(tmp_path)
    reidar_plugin.enable()
    part, whole = manager(tmp_path, "mars_actions"), manager(tmp_path, "mars_actions", combineall=True)
    assert whole.num_train_pids == part.num_train_pids + 3
    assert not whole.train_table.labels.isnan().any()


def test_what_the_network_reads_is_made_of_a_batch(tmp_path: Path) -> None:
    write_mars(tmp_path)
    data = manager(tmp_path, "mars", seed=4)
    (batch, *_) = data.train_loader
    clips, erased = data.augment(batch.frames, epoch=0, step=0)
    assert clips.shape == (8, 4, 3, 16, 8)
    assert erased.shape == (8, 4)
    assert data.normalise(batch.frames).shape == (8, 4, 3, 16, 8)
    assert data.augment.seed == 4


# From a config


def config(root: Path, *changes: object) -> CfgNode:
    cfg = add_reidar_config(defaults.toolbox_config())
    cfg.use_gpu = False
    base = [
        "data.root",
        str(root),
        "data.type",
        "video",
        "data.sources",
        ["mars_actions"],
        "data.targets",
        ["mars_actions"],
    ]
    sizes = ["data.height", 16, "data.width", 8, "data.workers", 0, "video.seq_len", 6, "train.batch_size", 8]
    cfg.merge_from_list([*base, *sizes, "sampler.train_sampler", "identity_pass", *changes])
    return cfg


def test_every_key_reaches_its_place(tmp_path: Path) -> None:
    write_mars(tmp_path, frames=[40])
    reidar_plugin.enable()
    cfg = config(
        tmp_path,
        *("reidar.data.train_clips", "consecutive", "reidar.data.test_clips", "interleaved"),
        *("reidar.data.test_max_clips", 2, "reidar.data.flip", 0.25, "reidar.data.shift", "translation"),
        *("reidar.data.pad", 7, "reidar.data.erase", 0.75, "reidar.data.erase_area", [0.1, 0.2]),
        *("reidar.data.erase_ratio", [0.5, 2.0], "reidar.data.erase_fill", [0.0, 0.1, 0.2]),
        *("reidar.data.erase_attempts", 3, "reidar.data.erase_passes", 2, "reidar.data.per_clip", True),
        *("reidar.data.interpolation", "linear", "reidar.data.on_broken", "skip", "train.seed", 11),
        *("data.norm_mean", [0.1, 0.2, 0.3], "data.norm_std", [0.5, 0.6, 0.7], "test.batch_size", 5),
        *("sampler.num_instances", 2, "reidar.labels.space", "actions3", "reidar.data.test_length", 5),
    )
    data = ClipDataManager.from_config(cfg)
    augment: Augment = data.augment
    clips: Any = data.train_loader.dataset
    assert (augment.flip, augment.shift, augment.pad, augment.erase) == (0.25, "translation", 7, 0.75)
    assert (augment.erase_area, augment.erase_ratio) == ((0.1, 0.2), (0.5, 2.0))
    assert augment.erase_fill.tolist() == pytest.approx([0.0, 0.1, 0.2])
    assert (augment.erase_attempts, augment.erase_passes, augment.per_clip) == (3, 2, True)
    assert augment.seed == clips.seed == data.train_loader.batches.order.seed == 11
    assert (clips.scheme, clips.length) == ("consecutive", 6)
    assert (clips.reader.interpolation, clips.reader.on_broken) == ("linear", "skip")
    assert (clips.reader.height, clips.reader.width) == (16, 8)
    assert isinstance(data.train_loader.batches.order, IdentityPass)
    assert data.train_loader.batches.order.instances == 2
    assert isinstance(data.space, LabelSpace)
    assert len(data.space) == 3
    queries = data.test_loader["mars_actions"]["query"]
    packed: Any = queries.dataset
    assert packed.plan.frames[0].tolist() == [0, 8, 16, 24, 32]
    assert len(packed) == 2 * len(data.test_dataset["mars_actions"]["query"])
    (batch, *_) = queries
    assert batch.frames.shape == (5, 5, 16, 8, 3)
    black = torch.zeros(1, 1, 1, 3, dtype=torch.uint8)
    assert data.normalise(black).flatten().tolist() == pytest.approx([-0.1 / 0.5, -0.2 / 0.6, -0.3 / 0.7])


def test_defaults_are_the_papers(tmp_path: Path) -> None:
    write_mars(tmp_path)
    reidar_plugin.enable()
    data = ClipDataManager.from_config(config(tmp_path))
    augment: Augment = data.augment
    clips: Any = data.train_loader.dataset
    assert (augment.flip, augment.shift, augment.pad, augment.per_clip) == (0.5, "crop", 10, False)
    assert (augment.erase, augment.erase_area, augment.erase_passes) == (0.5, (0.02, 0.4), 1)
    assert augment.erase_ratio == pytest.approx((0.3, 3.3333333))
    assert augment.erase_fill.tolist() == pytest.approx([0.485, 0.456, 0.406])
    assert (clips.scheme, clips.reader.on_broken, clips.reader.interpolation) == ("parts", "stop", "cubic")
    packed: Any = data.test_loader["mars_actions"]["gallery"].dataset
    assert packed.plan.frames.tolist()[0] == [0, 1, 2, 3, 4, 0]


def test_the_hosts_samplers_by_name_and_the_balanced_one(tmp_path: Path) -> None:
    write_mars(tmp_path)
    reidar_plugin.enable()
    theirs = ClipDataManager.from_config(config(tmp_path, "sampler.train_sampler", "RandomIdentitySampler"))
    assert isinstance(theirs.train_loader.batches.order, HostOrder)
    cfg = config(tmp_path, "sampler.train_sampler", "balanced_identity", "reidar.data.balance_power", 0.0)
    balanced = ClipDataManager.from_config(cfg).train_loader.batches.order
    np.testing.assert_allclose(balanced.probability, 1 / 4)


def test_refuses_transforms_that_only_the_host_makes(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"data.transforms 'color_jitter' is not made by the joint engine's loader"
    ):
        ClipDataManager.from_config(config(tmp_path, "data.transforms", ["random_flip", "color_jitter"]))
