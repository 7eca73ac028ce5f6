"""Data sets, samplers and loaders of a run, as the host's engines and ours expect to find them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor
from yacs.config import CfgNode

from reidar_plugin.data.augment import Augment
from reidar_plugin.data.evaluation_loader import evaluation_loader
from reidar_plugin.data.loader import ClipLoader, EpochBatches, FrameReader, TrainClips
from reidar_plugin.data.pixel_ops import Normalise
from reidar_plugin.data.samplers import EpochOrder, build_order
from reidar_plugin.data.tracklet_table import Encoder, TrackletTable
from reidar_plugin.errors import ConfigError
from reidar_plugin.host import reid
from reidar_plugin.labels.from_config import configured_attributes, configured_space
from reidar_plugin.ranks.job import current

__all__ = ["ClipDataManager", "manager_arguments"]


class ClipDataManager(reid.data.VideoDataManager):
    """The host's ``VideoDataManager``, whose loaders give a :class:`~reidar_plugin.structures.ClipBatch` of bytes.

    The host builds the data sets: any that it knows, sums of several, ``combineall``. Labels ride on the
    paths; a data set without is one whose labels are unknown. Then the host's loaders are replaced:

    - ``train_loader``, a :class:`~reidar_plugin.data.loader.ClipLoader`: call its ``set_epoch`` before
      each pass.
    - ``test_loader[name]["query"]`` and ``["gallery"]``: the clips of all tracklets, packed into batches
      of one shape. ``test_dataset[name]`` holds their tracklets, as in the host.
      ``evaluation_loader(table)`` reads any other tracklets in the same way.
    - ``augment(frames, epoch, step, job)`` and ``normalise(frames)`` make of a batch's frames, on their device,
      what the network reads in training and at test.

    Args:
        space: label space of the actions; that of the training set if None, no actions if that has none.
        attribute_space: label space of the attributes; that of the training set if None.
        train_sampler: one of ``samplers.OWN_ORDERS``, or a sampler of the host.
        batch_size_train: clips in a training batch.
        batch_size_test: clips, not tracklets, in a test batch.
        num_instances: K, tracklets of a person in a batch, for the samplers that draw people.
        num_cams: cameras in a batch, for the host's ``RandomDomainSampler``.
        num_datasets: data sets in a batch, for the host's ``RandomDatasetSampler``.
        balance_power: exponent of ``balanced_identity``: 0 draws all people alike, 1 all actions alike.
        seq_len: T, frames in a clip.
        test_length: T at test; 0 for ``seq_len``.
        train_clips: how a training clip is drawn, one of ``clips.TRAIN_CLIPS``.
        test_clips: how a tracklet is cut at test, one of ``clips.TEST_CLIPS``.
        test_max_clips: at most so many clips a tracklet at test; 0 for all.
        height: height of a frame in pixels.
        width: width of a frame in pixels.
        interpolation: how frames are brought to their size, one of ``frames.INTERPOLATIONS``.
        on_broken: ``stop`` or ``skip``, at a picture that cannot be read.
        workers: reading processes of each loader.
        start_method: how workers are started; empty for the platform's own.
        augment: what training does to frames; the papers' if None.
        seed: seed of the run.
        host_kwargs: the rest of what the host's manager takes: ``root``, ``sources``, ``targets``,
            ``use_gpu``, ``split_id``, ``combineall``, ``norm_mean``, ...
    """

    train_loader: ClipLoader
    test_loader: dict[str, dict[str, ClipLoader]]

    def __init__(
        self,
        *,
        space: Encoder | None = None,
        attribute_space: Encoder | None = None,
        train_sampler: str = "identity_pass",
        batch_size_train: int = 64,
        batch_size_test: int = 128,
        num_instances: int = 4,
        num_cams: int = 1,
        num_datasets: int = 1,
        balance_power: float = 0.5,
        seq_len: int = 4,
        test_length: int = 0,
        train_clips: str = "parts",
        test_clips: str = "consecutive",
        test_max_clips: int = 0,
        height: int = 224,
        width: int = 112,
        interpolation: str = "cubic",
        on_broken: str = "stop",
        workers: int = 4,
        start_method: str = "",
        augment: Augment | None = None,
        seed: int = 0,
        **host_kwargs: Any,
    ) -> None:
        # The host's own loaders never run, so that its sampler and its workers do not matter.
        super().__init__(
            height=height, width=width, train_sampler="SequentialSampler", workers=0, **host_kwargs
        )
        trainset: Any = self.train_loader.dataset
        self.space = getattr(trainset, "space", None) if space is None else space
        self.attribute_space = (
            getattr(trainset, "attribute_space", None) if attribute_space is None else attribute_space
        )
        self.augment = augment or Augment(seed=seed)
        self.normalise: Normalise = self.augment.normalise
        job = current()
        processes: dict[str, Any] = {"workers": workers, "pin": self.use_gpu, "start_method": start_method}

        self._reading = (height, width, on_broken, interpolation)
        self._evaluation = dict(
            seq_len=test_length or seq_len,
            test_clips=test_clips,
            test_max_clips=test_max_clips,
            batch_size=batch_size_test,
            job=job,
            **processes,
        )

        #: what is known of the training tracklets; class weights are counted from ``train_table.labels``
        self.train_table = self._table(trainset.train)
        _check_classes(self.train_table.pids[:-1].tolist(), self.num_train_pids)
        self._build_order = partial(
            build_order,
            train_sampler,
            batch_size=batch_size_train,
            num_instances=num_instances,
            num_cams=num_cams,
            num_datasets=num_datasets,
            power=balance_power,
            seed=seed,
        )
        order = self.training_order(trainset.train, self.train_table.labels)
        clips = TrainClips(self.train_table, self._reader(), seq_len, train_clips, seed, job)
        self.train_loader = ClipLoader(clips, EpochBatches(order, batch_size_train), keep=True, **processes)
        for name, parts in self.test_dataset.items():
            for part, samples in parts.items():
                self.test_loader[name][part] = self.evaluation_loader(self._table(samples))

    @classmethod
    def from_config(cls, cfg: CfgNode) -> "ClipDataManager":
        """The manager that a config asks for: the one place where keys become arguments."""
        return cls(**manager_arguments(cfg))

    def evaluation_loader(self, table: TrackletTable) -> ClipLoader:
        """A loader of all clips of some tracklets, cut and read as this manager's test tracklets are."""
        return evaluation_loader(table, self._reader(), **self._evaluation)

    def training_order(self, samples: Sequence[Any], labels: Tensor) -> EpochOrder:
        """The order in which this manager's sampler visits some tracklets.

        Args:
            samples: the tracklets, as in the host's data sets.
            labels: their actions, ``(N, M)``.
        """
        return self._build_order(samples, labels=labels.numpy())

    def _reader(self) -> FrameReader:
        return FrameReader(*self._reading)

    def _table(self, samples: Sequence[Any]) -> TrackletTable:
        return TrackletTable(samples, self.space, self.attribute_space)


def manager_arguments(cfg: CfgNode) -> dict[str, Any]:
    """Arguments of :class:`ClipDataManager`, from the host's keys and those of ``reidar.data``."""
    data, seed = cfg.reidar.data, cfg.train.seed
    unserved = sorted(set(map(str.lower, cfg.data.transforms)) - _SERVED)
    if unserved:
        raise ConfigError(
            f"data.transforms {unserved[0]!r} is not made by the joint engine's loader, which takes "
            "reidar.data.flip, shift, pad and erase instead; leave it out"
        )
    return {
        "root": cfg.data.root,
        "sources": cfg.data.sources,
        "targets": cfg.data.targets,
        "split_id": cfg.data.split_id,
        "combineall": cfg.data.combineall,
        "transforms": [],
        "norm_mean": cfg.data.norm_mean,
        "norm_std": cfg.data.norm_std,
        "use_gpu": cfg.use_gpu,
        "space": configured_space(cfg.reidar),
        "attribute_space": configured_attributes(cfg.reidar),
        "train_sampler": cfg.sampler.train_sampler,
        "batch_size_train": cfg.train.batch_size,
        "batch_size_test": cfg.test.batch_size,
        "num_instances": cfg.sampler.num_instances,
        "num_cams": cfg.sampler.num_cams,
        "num_datasets": cfg.sampler.num_datasets,
        "balance_power": data.balance_power,
        "seq_len": cfg.video.seq_len,
        "test_length": data.test_length,
        "train_clips": data.train_clips,
        "test_clips": data.test_clips,
        "test_max_clips": data.test_max_clips,
        "height": cfg.data.height,
        "width": cfg.data.width,
        "interpolation": data.interpolation,
        "on_broken": data.on_broken,
        "workers": cfg.data.workers,
        "start_method": data.start_method,
        "augment": Augment(
            flip=data.flip,
            shift=data.shift,
            pad=data.pad,
            erase=data.erase,
            erase_area=data.erase_area,
            erase_ratio=data.erase_ratio,
            erase_fill=data.erase_fill,
            erase_attempts=data.erase_attempts,
            erase_passes=data.erase_passes,
            per_clip=data.per_clip,
            mean=cfg.data.norm_mean,
            std=cfg.data.norm_std,
            seed=seed,
        ),
        "seed": seed,
    }


#: the host's words for what ``reidar.data`` does with numbers of its own; it adds ``random_flip`` by default
_SERVED = {"random_flip", "random_crop", "random_erase"}


def _check_classes(pids: Sequence[int], classes: int) -> None:
    """The host numbers people from 0; a data set of a user may not, and a GPU would die of it."""
    if set(pids) != set(range(classes)):
        raise ConfigError(
            f"training people must be numbered 0 to {classes - 1}, got {min(pids)} to {max(pids)}; "
            "relabel them in the data set"
        )
