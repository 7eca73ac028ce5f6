"""In which order an epoch visits the tracklets: the host's samplers by their names, and two of our own.

Every order is a function of (seed, epoch): an interrupted epoch can be made again, and what other code does
with the global generators changes nothing.
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

#: our own, beside the host's ``RandomIdentitySampler``, ``RandomSampler``, ...
OWN_ORDERS = ("identity_pass", "balanced_identity")


class EpochOrder(Sampler[int], ABC):
    """Tracklets in the order of an epoch; :meth:`set_epoch` chooses which, epoch 0 until it is called."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Make the order that of this epoch, from 0."""
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
        """The places of the tracklets, as :attr:`seed` and :attr:`epoch` have it."""


class HostOrder(EpochOrder):
    """A sampler of torchreid, whose chance (Python's, NumPy's and torch's global generators) is lent to it.

    Corner cases are the host's: ``RandomIdentitySampler`` leaves out what does not fill P people, and draws
    from people with fewer than K tracklets with replacement.

    Args:
        samples: the host's ``(paths, pid, camid, dsetid)``.
        name: one of ``torchreid.data.sampler.AVAI_SAMPLERS``.
        seed: of the run.
        options: for the host's ``build_train_sampler``.
    """

    def __init__(self, samples: Sequence[Any], name: str, seed: int, **options: int) -> None:
        self.samples, self.name, self.options = samples, name, options
        super().__init__(seed)

    def _make(self) -> list[int]:
        with _lent_chance(self.seed, self.epoch):
            try:
                sampler = reid.data.sampler.build_train_sampler(self.samples, self.name, **self.options)
                return [int(place) for place in sampler]
            except (AssertionError, IndexError, ValueError) as error:
                given = ", ".join(f"{key} {value}" for key, value in self.options.items())
                reason = str(error) or "too few people, cameras or datasets to fill a batch"
                raise ConfigError(f"the host's {self.name} cannot serve {given}: {reason}") from error


class IdentityPass(EpochOrder):
    """Each person once an epoch, in random order, with K tracklets: the released Re-ID-AR's pass.

    A person with fewer than K tracklets gives each of them as often as any other, give or take one (the
    released code draws with replacement). The people of an unfinished last batch are dropped, as there.

    Args:
        pids: identity of each tracklet.
        people: P, people in a batch.
        instances: K, tracklets of each.
        seed: of the run.
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
        return [place for person in chosen[:whole] for place in self._draw(rng, self.tracklets[person])]

    def _draw(self, rng: np.random.Generator, tracklets: NDArray[np.int64]) -> list[int]:
        rounds, rest = divmod(self.instances, len(tracklets))
        drawn = np.concatenate([np.tile(tracklets, rounds), rng.choice(tracklets, rest, replace=False)])
        return rng.permutation(drawn).tolist()


class BalancedIdentities(IdentityPass):
    r"""Batches of P people and K tracklets each, where people with a rare action come more often.

    .. math::
        P(\text{person}) \propto \max_{a} n_a^{-q}

    over the actions a of the person, :math:`n_a` people showing a. Who has no known action counts as one
    of the commonest. The P people of a batch differ, so that metric losses keep their positives and
    negatives; an epoch has as many batches as :class:`IdentityPass`.

    Args:
        pids: identity of each tracklet.
        people: P, people in a batch.
        instances: K, tracklets of each.
        seed: of the run.
        labels: multi-hot ``(N, M)``, NaN where unknown; a person shows what any of its tracklets shows.
        power: q, 0 for no balance, 1 for all actions alike.
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
            place
            for batch in batches
            for person in batch
            for place in self._draw(rng, self.tracklets[person])
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
    """The order of that name.

    Args:
        name: one of ``OWN_ORDERS``, or a sampler of the host.
        samples: the host's ``(paths, pid, camid, dsetid)``.
        batch_size: tracklets in a batch, P x K.
        num_instances: K.
        num_cams: for the host's ``RandomDomainSampler``.
        num_datasets: for the host's ``RandomDatasetSampler``.
        labels: multi-hot ``(N, M)`` for ``balanced_identity``.
        power: for ``balanced_identity``.
        seed: of the run.
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
    """Places of the tracklets of each person, people in the order of their ids."""
    values = np.asarray(pids, dtype=np.int64)
    return [np.flatnonzero(values == pid) for pid in np.unique(values)]


@contextmanager
def _lent_chance(seed: int, epoch: int) -> Iterator[None]:
    """Global generators seeded by (seed, epoch) inside, and as they were after."""
    python, numpy, pytorch = random.getstate(), np.random.get_state(), torch.random.get_rng_state()
    lent = numpy_generator(seed, "order", epoch)
    random.seed(int(lent.integers(2**32)))
    np.random.seed(int(lent.integers(2**32)))
    torch.random.default_generator.manual_seed(int(lent.integers(2**32)))
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.random.set_rng_state(pytorch)
