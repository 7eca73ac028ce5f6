"""The order of tracklets in an epoch: the samplers of the host by name, and two of this package.

Each order is a function of (seed, epoch): an interrupted epoch can be repeated, and other code that uses the global
random generators changes nothing.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Sampler

from reidar_plugin.data.seeding import numpy_generator
from reidar_plugin.errors import ConfigError, InputError, nearest
from reidar_plugin.host import reid

__all__ = ["OWN_ORDERS", "BalancedIdentities", "EpochOrder", "HostOrder", "IdentityPass", "build_order"]

#: Samplers of this package, in addition to the host's ``RandomIdentitySampler``, ``RandomSampler``, ...
OWN_ORDERS = ("identity_pass", "balanced_identity")


class EpochOrder(Sampler[int], ABC):
    """A sampler whose order depends on a seed and an epoch only.

    Args:
        seed: seed of the run.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Select the epoch, from 0; a new sampler starts at epoch 0."""
        self.epoch = epoch
        self._order: list[int] | None = None

    def __iter__(self) -> Iterator[int]:
        return iter(self._made())

    def __len__(self) -> int:
        return len(self._made())

    def _made(self) -> list[int]:
        if self._order is None:
            self._order = self._make()
        return self._order

    @abstractmethod
    def _make(self) -> list[int]:
        """Indices of the tracklets in the order of :attr:`epoch`."""


class HostOrder(EpochOrder):
    """A sampler of torchreid, run with the global random generators seeded by (seed, epoch).

    Corner cases are those of the host: ``RandomIdentitySampler`` drops people that do not fill a batch of P, and
    draws with replacement from people with fewer than K tracklets.

    Args:
        samples: samples ``(paths, pid, camid, dsetid)`` of the host.
        name: name in ``torchreid.data.sampler.AVAI_SAMPLERS``.
        seed: seed of the run.
        options: arguments of the host's ``build_train_sampler``.
    """

    def __init__(self, samples: Sequence[Any], name: str, seed: int, **options: int) -> None:
        self.samples, self.name, self.options = samples, name, options
        super().__init__(seed)

    def _make(self) -> list[int]:
        with _seeded_globals(self.seed, self.epoch):
            try:
                sampler = reid.data.sampler.build_train_sampler(self.samples, self.name, **self.options)
                return [int(index) for index in sampler]
            except (AssertionError, IndexError, ValueError) as error:
                given = ", ".join(f"{key} {value}" for key, value in self.options.items())
                reason = str(error) or "too few people, cameras or datasets to fill a batch"
                raise ConfigError(f"the host's {self.name} cannot serve {given}: {reason}") from error


class IdentityPass(EpochOrder):
    """Each person once per epoch, in random order, with K tracklets, as in the released Re-ID-AR code.

    From a person with fewer than K tracklets, each is taken equally often, up to one (the released code draws
    with replacement). People who do not fill the last batch are dropped, as in the released code.

    Args:
        pids: identity of each tracklet.
        people: number P of people in a batch.
        instances: number K of tracklets of each person in a batch.
        seed: seed of the run.
    """

    def __init__(self, pids: Sequence[int], people: int, instances: int, seed: int) -> None:
        self.tracklets = _by_identity(pids)
        self.people, self.instances = people, instances
        if people < 1 or instances < 1 or len(self.tracklets) < people:
            raise ConfigError(
                f"a batch of {people} people with {instances} tracklets each cannot be drawn from "
                f"{len(self.tracklets)} people; lower train.batch_size or raise sampler.num_instances"
            )
        super().__init__(seed)

    def _make(self) -> list[int]:
        rng = numpy_generator(self.seed, "order", self.epoch)
        chosen = rng.permutation(len(self.tracklets))
        whole = len(chosen) - len(chosen) % self.people
        return [index for person in chosen[:whole] for index in self._draw(rng, self.tracklets[person])]

    def _draw(self, rng: np.random.Generator, tracklets: NDArray[np.int64]) -> list[int]:
        rounds, rest = divmod(self.instances, len(tracklets))
        drawn = np.concatenate([np.tile(tracklets, rounds), rng.choice(tracklets, rest, replace=False)])
        return rng.permutation(drawn).tolist()


class BalancedIdentities(IdentityPass):
    r"""Batches of P people with K tracklets each, in which people with rare actions are drawn more often.

    .. math::
        P(\text{person}) \propto \max_{a} n_a^{-q}

    over the actions a of the person, where :math:`n_a` is the number of people who show a. A person without a
    known action is treated like one with the most common action. The P people of a batch differ, so that metric
    losses have positives and negatives; an epoch has as many batches as with :class:`IdentityPass`.

    Args:
        pids: identity of each tracklet.
        people: number P of people in a batch.
        instances: number K of tracklets of each person in a batch.
        seed: seed of the run.
        labels: multi-hot labels of the tracklets ``(N, M)``, NaN where unknown; a person shows the actions of all
            their tracklets.
        power: q, 0 draws all people alike, 1 all actions alike.
    """

    def __init__(
        self,
        pids: Sequence[int],
        people: int,
        instances: int,
        seed: int,
        labels: NDArray[np.float32],
        power: float = 0.5,
    ) -> None:
        super().__init__(pids, people, instances, seed)
        if len(labels) != len(pids) or power < 0:
            raise InputError(f"expected {len(pids)} rows of labels, a power >= 0; got {len(labels)}, {power}")
        known = np.nan_to_num(labels) > 0
        shows = np.stack([known[tracklets].any(axis=0) for tracklets in self.tracklets])  # (people, M)
        count = shows.sum(axis=0)
        commonest = max(count.max(initial=0), 1)
        rarest = np.where(shows, count, commonest).min(axis=1, initial=commonest)
        weight = rarest.astype(np.float64) ** -power
        self.probability = weight / weight.sum()

    def _make(self) -> list[int]:
        rng = numpy_generator(self.seed, "order", self.epoch)
        everyone = len(self.tracklets)
        batches = [
            rng.choice(everyone, self.people, replace=False, p=self.probability)
            for _ in range(everyone // self.people)
        ]
        return [
            index
            for batch in batches
            for person in batch
            for index in self._draw(rng, self.tracklets[person])
        ]


def build_order(
    name: str,
    samples: Sequence[Any],
    *,
    batch_size: int,
    num_instances: int = 4,
    num_cams: int = 1,
    num_datasets: int = 1,
    labels: NDArray[np.float32] | None = None,
    power: float = 0.5,
    seed: int = 0,
) -> EpochOrder:
    """Build a sampler by name.

    Args:
        name: name in ``OWN_ORDERS``, or of a sampler of the host.
        samples: samples ``(paths, pid, camid, dsetid)`` of the host.
        batch_size: number P x K of tracklets in a batch.
        num_instances: number K of tracklets of each person in a batch.
        num_cams: number of cameras in a batch, for the host's ``RandomDomainSampler``.
        num_datasets: number of data sets in a batch, for the host's ``RandomDatasetSampler``.
        labels: multi-hot labels ``(N, M)``, for ``balanced_identity``.
        power: exponent q, for ``balanced_identity``.
        seed: seed of the run.

    Raises:
        ConfigError: the name is unknown, or the numbers do not fit.
    """
    names = (*OWN_ORDERS, *reid.data.sampler.AVAI_SAMPLERS)
    if name not in names:
        choices = ", ".join(map(repr, names))
        raise ConfigError(f"unknown sampler {name!r};{nearest(name, names)} choose one of {choices}")
    if name in (*OWN_ORDERS, "RandomIdentitySampler") and (num_instances < 1 or batch_size % num_instances):
        raise ConfigError(
            f"{name} makes batches of people with {num_instances} tracklets each (sampler.num_instances), "
            f"which do not fill a batch of {batch_size} (train.batch_size)"
        )
    if name not in OWN_ORDERS:
        options = {"num_instances": num_instances, "num_cams": num_cams, "num_datasets": num_datasets}
        return HostOrder(samples, name, seed, batch_size=batch_size, **options)
    pids = [sample[1] for sample in samples]
    people = batch_size // num_instances
    if name == "identity_pass":
        return IdentityPass(pids, people, num_instances, seed)
    if labels is None:
        raise ConfigError("balanced_identity needs labels, and the training tracklets come without")
    return BalancedIdentities(pids, people, num_instances, seed, labels, power)


def _by_identity(pids: Sequence[int]) -> list[NDArray[np.int64]]:
    """Indices of the tracklets of each person, in the order of identities."""
    values = np.asarray(pids, dtype=np.int64)
    return [np.flatnonzero(values == pid) for pid in np.unique(values)]


@contextmanager
def _seeded_globals(seed: int, epoch: int) -> Iterator[None]:
    """Seed the global generators of Python, NumPy and torch by (seed, epoch); restore them at exit."""
    python, numpy, pytorch = random.getstate(), np.random.get_state(), torch.random.get_rng_state()
    seeds = numpy_generator(seed, "order", epoch)
    random.seed(int(seeds.integers(2**32)))
    np.random.seed(int(seeds.integers(2**32)))
    torch.random.default_generator.manual_seed(int(seeds.integers(2**32)))
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.random.set_rng_state(pytorch)
